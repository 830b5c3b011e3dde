import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../src/dev/cache-dir';
import { findOnPath } from '../../src/dev/run-command';

const run = promisify(execFile);

/** The program, and those of its libraries that a small image of Debian may not have. */
const PACKAGES = ['redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1', 'libssl3'];
const LIMIT_MS = 120_000;

/** Finds the libraries that lie beside it; `exec` keeps the process id that its starter knows. */
const START = `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
exec "$here/usr/bin/redis-server" "$@"
`;

/** Why this machine's package archive has no Redis of a version, or `undefined` when it has. */
export function whyNotFromDebian(version: string): string | undefined {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg-deb']) {
    if (findOnPath(tool) === undefined) return `it comes as a Debian package and there is no ${tool}`;
  }
  // An image that was made small has thrown the lists of packages away; only root can get them again.
  if (candidate() === undefined && process.getuid?.() === 0) {
    spawnSync('apt-get', ['update', '--quiet'], { timeout: LIMIT_MS, stdio: 'ignore' });
  }
  const offered = candidate();
  if (offered === undefined) return 'apt knows no package redis-server; `apt-get update` may help';
  if (!offered.startsWith(`${version}.`)) return `apt offers Redis ${offered} alone`;
  return undefined;
}

/**
 * Unpacks Debian's Redis and its libraries below the folder of `target`, without installing anything, and puts a program at
 * `target` that starts it. The folder appears whole or not at all; apt checks what it downloads by the archive's signature.
 */
export async function fetchFromDebian(target: string): Promise<void> {
  const work = join(cacheDir(), `.fetch-${randomUUID()}`);
  const [packages, root] = [join(work, 'packages'), join(work, 'root')];
  for (const folder of [packages, root]) mkdirSync(folder, { recursive: true });
  try {
    await run('apt-get', ['download', '--quiet', ...PACKAGES], { cwd: packages, timeout: LIMIT_MS });
    for (const name of readdirSync(packages)) await run('dpkg-deb', ['-x', join(packages, name), root]);
    const program = join(root, 'redis-server');
    writeFileSync(program, START);
    chmodSync(program, 0o755);
    await run(program, ['--version']);
    try {
      renameSync(root, dirname(target));
    } catch (error) {
      // Another process was quicker.
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The version that apt would install, without epoch and revision. */
function candidate(): string | undefined {
  const { stdout } = spawnSync('apt-cache', ['policy', 'redis-server'], { encoding: 'utf8', timeout: 30_000 });
  return /Candidate: (?:\d+:)?(\d[\d.]*)/.exec(stdout)?.[1];
}
