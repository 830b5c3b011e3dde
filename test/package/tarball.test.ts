import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'fillsafe-package-'));
const installed = join(folder, 'node_modules', 'fillsafe');
let files: string[];

// As npm installs it, without asking a registry: the tarball unpacked, beside it what package.json names as dependencies and
// nothing else. So an import of a development dependency fails here as it would with a user.
beforeAll(() => {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const parsed = JSON.parse(packed) as Tarball[] | Record<string, Tarball>;
  const [tarball] = Object.values(parsed);
  files = tarball!.files.map(({ path }) => path);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, tarball!.filename), '-C', installed, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Tarball {
  filename: string;
  files: { path: string }[];
}

const verdict = `
  const { category } = classifyFailure({ exchange: 'binance', market: 'spot', operation: 'place', phase: 'after_send' });
  const { lane, venues } = loadConfig({ env: {} });
  const doors = [createFillsafePlugin, connectFillsafe].map((door) => typeof door);
  console.log(JSON.stringify({ category, known: FAILURE_CATEGORIES.includes(category), lane, venues, doors }));
`;
const names = '{ classifyFailure, connectFillsafe, createFillsafePlugin, FAILURE_CATEGORIES, loadConfig }';

function run(...args: string[]): string {
  const { PATH, HOME } = process.env;
  return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: { PATH, HOME } });
}

test.each([
  ['CommonJS', 'main.cjs', `const ${names} = require('fillsafe');`],
  ['ESM', 'main.mjs', `import ${names} from 'fillsafe';`],
])('the packed library works from %s', (_kind, file, opening) => {
  writeFileSync(join(folder, file), opening + verdict);
  expect(JSON.parse(run(file))).toEqual({
    category: 'OUTCOME_UNKNOWN',
    known: true,
    lane: 'paper',
    venues: {},
    doors: ['function', 'function'],
  });
});

test('the packed command line says its version and knows its commands', () => {
  const bin = join(installed, 'bin', 'fillsafe.js');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(run(bin, '--version').trim()).toBe(version);
  expect(run(bin, '--help')).toMatch(/\bdev\b[^]*\bworker\b/);
});

test('the package holds what runs, and neither tests nor what the compiler notes for itself', () => {
  const sources = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src/**/*.lua', 'config'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(files).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'dist/workflow-bundle.js',
      'dist/src/index.d.ts',
      'dist/workflows/index.js',
      ...sources.trim().split('\n'),
    ]),
  );
  expect(files.filter((path) => /(^|\/)test\/|\.test\.|tsbuildinfo|\.tgz$/.test(path))).toEqual([]);
});

test('the package does not tell where it was built', () => {
  const telling = files.filter((path) => {
    const text = readFileSync(join(installed, path), 'utf8');
    // The bundle of the workflows holds its source map in itself.
    const maps = [...text.matchAll(/sourceMappingURL=data:[^,]+;base64,([A-Za-z0-9+/=]+)/g)];
    return [text, ...maps.map(([, map = '']) => Buffer.from(map, 'base64').toString())].some((each) =>
      each.includes(root),
    );
  });
  expect(telling).toEqual([]);
});
