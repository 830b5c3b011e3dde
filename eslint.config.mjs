import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Everything above the adapters. An import may only go down the list of folders in docs/architecture.md. */
const UPPER = ['interceptors', 'worker', 'client', 'dev', 'demo', 'cli'];
const SERVICES = ['ioredis', 'pg', 'prom-client', 'pino', 'commander'];

const NEVER_TEST = {
  regex: '(^|/)(test|dist)/',
  message: 'Nothing depends on tests or on the build: move what is shared into src/.',
};

/** Refuses relative imports of folders of src/; `types` says whether an `import type` may pass, as it leaves no code behind. */
const notFolders = (folders, { types = false } = {}) => ({
  regex: `^(\\./|(\\.\\./)+)(src/)?(${folders.join('|')})(/|$)`,
  allowTypeImports: types,
  message: 'Imports go down only: domain, failures and policy, adapters, interceptors, worker and client, dev and cli.',
});

/** Refuses every relative import out of the folder but of these folders of src/. */
const onlyFolders = (folders) => ({
  regex: `^(\\.\\./)+(?!((src/)?(${folders.join('|')}))(/|$))(?!\\.\\./)`,
  allowTypeImports: true,
  message: `Only ${folders.join(', ')} may be imported here: this part stays pure.`,
});

const notPackages = (packages) => ({
  regex: `^(${packages.join('|')})(/|$)`,
  allowTypeImports: true,
  message: 'This part does no I/O: take what you need as an argument.',
});

/** One set of import rules for some files. A later set replaces an earlier one for the same file: name the narrow ones last. */
const floor = (files, ...patterns) => ({
  files,
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [NEVER_TEST, ...patterns] }] },
});

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.fillsafe/'] },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', __dirname: 'readonly', URL: 'readonly' } },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error', eqeqeq: 'error', 'max-lines': ['error', { max: 350 }] },
  },
  { files: ['**/*.{js,cjs}'], languageOptions: { sourceType: 'commonjs' } },
  { files: ['**/*.ts'], extends: [tseslint.configs.recommended] },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 350 }],
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export: a name is found by searching for it.' },
      ],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // A rule book or a list whose check stands beside it is read more easily with "!" than with a branch never taken.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, allowDefaultCaseForExhaustiveSwitch: true },
      ],
    },
  },

  floor(['src/**/*.ts', 'bench/**/*.ts']),
  floor(['src/domain/**/*.ts'], {
    regex: '^(?!\\./|decimal\\.js$|node:crypto$)',
    message: 'The domain stands on itself: decimal.js, node:crypto and, in *.schema.ts, zod.',
  }),
  floor(['src/domain/**/*.schema.ts'], {
    regex: '^(?!\\./|decimal\\.js$|node:crypto$|zod$)',
    message: 'The domain stands on itself: decimal.js, node:crypto and zod.',
  }),
  floor(
    ['src/failures/**/*.ts', 'src/policy/**/*.ts', 'src/breaker/**/*.ts'],
    onlyFolders(['domain', 'failures', 'policy', 'breaker', 'package-root']),
    notPackages([...SERVICES, '@temporalio']),
  ),
  // Runs in the workflow's sandbox too.
  floor(
    ['src/breaker/control/**/*.ts'],
    onlyFolders(['domain', 'override', 'scope']),
    notPackages([...SERVICES, '@temporalio', 'zod', 'node:']),
  ),
  floor(
    [
      'src/guard/**/*.ts',
      'src/redis/**/*.ts',
      'src/venues/**/*.ts',
      'src/ledger/**/*.ts',
      'src/metrics/**/*.ts',
    ].concat('src/config/**/*.ts'),
    notFolders([...UPPER, 'activities', 'workflows']),
    notPackages(['@temporalio']),
  ),
  floor(['src/interceptors/**/*.ts', 'activities/**/*.ts'], notFolders(['worker', 'client', 'dev', 'demo', 'cli'])),
  floor(['workflows/**/*.ts', 'src/interceptors/workflow/**/*.ts'], {
    // What is imported here is bundled into the sandbox: there are no Node built-ins, and zod costs 550 KB a workflow.
    regex:
      '^(?!@temporalio/(workflow|common)$|\\./|(\\.\\./)+(src/)?domain/(?!.*\\.schema$)|(\\.\\./)+(src/)?breaker/(control/|scope$)|\\.\\./src/interceptors/workflow/)',
    allowTypeImports: true,
    message:
      'Workflow code may import @temporalio/workflow, @temporalio/common, types, src/domain without schemas and src/breaker/control.',
  }),
  floor(['src/worker/**/*.ts', 'src/client/**/*.ts', 'src/index.ts'], notFolders(['dev', 'demo', 'cli'])),
  floor(['src/dev/**/*.ts'], notFolders(['demo', 'cli'])),
);
