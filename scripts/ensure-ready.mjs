// Makes `npm run demo` and `npm test` work as the first command after `git clone`: installs the locked dependencies when
// they are missing or older than the lock file, and builds when a source is newer than the build.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newestIn(folder) {
  let newest = 0;
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, modified(join(entry.parentPath ?? entry.path, entry.name)));
  }
  return newest;
}

// npm writes this file last, so an install that was cut off counts as missing.
const installed = modified(join(root, 'node_modules', '.package-lock.json'));
if (installed < modified(join(root, 'package-lock.json'))) {
  console.error('installing the locked dependencies (npm ci) …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], { cwd: root, stdio: ['ignore', 2, 2] });
}

const sources = ['src', 'workflows', 'activities', 'bench'].filter((folder) => existsSync(join(root, folder)));
const built = modified(join(root, 'dist', 'workflow-bundle.js'));
if (built < Math.max(...sources.map(newestIn), modified(join(root, 'tsconfig.json')), installed)) {
  console.error('building …');
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
}
