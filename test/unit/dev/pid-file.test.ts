import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimDataDir } from '../../../src/dev/pid-file';
import { formatProcessIdentity, identifyProcess } from '../../../src/dev/process-identity';

describe('the claim of a data directory', () => {
  let parent: string;
  let dataDir: string;
  let pidFile: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'fillsafe-pid-'));
    dataDir = join(parent, 'new', 'data');
    pidFile = join(dataDir, 'dev.pid');
  });

  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  it('makes the directory, names this process in dev.pid and leaves nothing else behind', () => {
    const claim = claimDataDir(dataDir);
    expect(readFileSync(pidFile, 'utf8')).toMatch(new RegExp(`^${process.pid} \\S+\\n$`));
    expect(readdirSync(dataDir)).toEqual(['dev.pid']);
    claim.release();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('is refused while a live process holds the directory, saying which and what to do', async () => {
    const holder = spawn('sleep', ['60']);
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    try {
      claimDataDir(dataDir).release();
      const identity = identifyProcess(holder.pid as number);
      writeFileSync(pidFile, formatProcessIdentity(identity as NonNullable<typeof identity>));
      expect(() => claimDataDir(dataDir)).toThrow(
        `already running with pid ${holder.pid} on ${dataDir}; stop it or choose another --data-dir`,
      );
    } finally {
      holder.kill('SIGKILL');
    }
    await gone;
    claimDataDir(dataDir).release();
  });

  it('is given again only after a release', () => {
    const first = claimDataDir(dataDir);
    expect(() => claimDataDir(dataDir)).toThrow(`already running with pid ${process.pid}`);
    first.release();
    claimDataDir(dataDir).release();
  });

  it.each([
    ['of a process that is gone', '999999999 1\n'],
    ['of a pid that another process has by now', `${process.pid} 1\n`],
    ['that is damaged', 'nonsense'],
    ['that is empty', ''],
  ])('takes over a file %s', (_, content) => {
    claimDataDir(dataDir).release();
    writeFileSync(pidFile, content);
    const claim = claimDataDir(dataDir);
    expect(readFileSync(pidFile, 'utf8')).toMatch(new RegExp(`^${process.pid} \\S+\\n$`));
    expect(readdirSync(dataDir)).toEqual(['dev.pid']);
    claim.release();
  });

  it('releases its own claim alone', () => {
    const claim = claimDataDir(dataDir);
    writeFileSync(pidFile, '1 someone-else\n');
    claim.release();
    expect(existsSync(pidFile)).toBe(true);
  });
});
