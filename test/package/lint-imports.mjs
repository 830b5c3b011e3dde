// Reads [[file, import specifier, "value" | "type"], …] as JSON from the first argument; prints for each whether the import
// rules refuse it. A process of its own, as ESLint's configuration is an ES module and jest's realm takes none.
import { ESLint } from 'eslint';

const RULE = '@typescript-eslint/no-restricted-imports';
const TYPE_AWARE = ['await-thenable', 'no-floating-promises', 'no-misused-promises', 'only-throw-error']
  .concat(['return-await', 'switch-exhaustiveness-check', 'consistent-type-imports'])
  .map((rule) => [`@typescript-eslint/${rule}`, 'off']);

const eslint = new ESLint({
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false } },
    rules: Object.fromEntries(TYPE_AWARE),
  },
});
const refused = [];
for (const [file, specifier, kind] of JSON.parse(process.argv[2])) {
  const code =
    kind === 'type'
      ? `import type { a } from '${specifier}';\nexport type B = typeof a;\n`
      : `import { a } from '${specifier}';\nexport const b = a;\n`;
  const [{ messages }] = await eslint.lintText(code, { filePath: file });
  const other = messages.filter(({ ruleId }) => ruleId !== RULE);
  if (other.length > 0) throw new Error(`${file}: ${other[0].message}`);
  refused.push(messages.length > 0);
}
console.log(JSON.stringify(refused));
