import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const CODE = /\.(ts|mjs|cjs|js|lua|sql|sh)$/;

function sources(...paths: string[]): { path: string; text: string }[] {
  return execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...paths], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => CODE.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

test('every source file stays readable in one sitting: under 350 lines', () => {
  const all = sources();
  expect(all.length).toBeGreaterThan(100);
  const long = all.filter(({ text }) => text.split('\n').length > 350).map(({ path }) => path);
  expect(long).toEqual([]);
});

const catalog = readFileSync(join(root, 'src/metrics/catalog.ts'), 'utf8');
const names = [...catalog.matchAll(/name: '([a-z_]+)'/g)].map(([, name]) => name!);
/** These read the finished page by names, as Prometheus does. */
const READERS = ['src/demo', 'src/cli', 'test', 'deploy', 'bench'];

test('metrics are named and made in src/metrics/catalog.ts alone', () => {
  expect(names.length).toBeGreaterThan(10);
  const elsewhere = sources('src', 'activities', 'workflows')
    .filter(({ path }) => path !== 'src/metrics/catalog.ts' && !READERS.some((reader) => path.startsWith(`${reader}/`)))
    .filter(
      ({ text }) => names.some((name) => text.includes(name)) || /^import (?!type).* from 'prom-client'/m.test(text),
    )
    .map(({ path }) => path);
  expect(elsewhere).toEqual([]);
});

test('whoever reads a metric by name reads one that exists', () => {
  const unknown = sources(...READERS).flatMap(({ path, text }) =>
    [...text.matchAll(/['"`](fillsafe_[a-z_]+?)(_bucket|_sum|_count)?['"`{[]/g)]
      .map(([, name]) => name!)
      .filter((name) => !names.includes(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved"/);
});
