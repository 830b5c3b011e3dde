import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatProcessIdentity,
  identifyProcess,
  isSameProcess,
  parseProcessIdentity,
  type ProcessIdentity,
} from './process-identity';

/** A data directory that belongs to this process until `release`, or until the process ends in any way. */
export interface DataDirClaim {
  release(): void;
}

/**
 * Claims `dataDir` (made if missing) by `dev.pid` in it: pid and start time, so that neither a crash nor a pid given to
 * another process since locks anyone out.
 * @throws Error naming the pid when a live process holds the directory.
 */
export function claimDataDir(dataDir: string): DataDirClaim {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'dev.pid');
  const mine = formatProcessIdentity(identifyProcess(process.pid) ?? { pid: process.pid, startTime: 'unknown' });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    // A hard link appears whole or not at all, and only one process can make it.
    while (!tryLink(draft, file)) moveStaleAside(file, dataDir);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (readText(file) === mine) rmSync(file, { force: true });
    },
  };
}

function moveStaleAside(file: string, dataDir: string): void {
  const found = readText(file);
  if (found === undefined) return;
  const holder = parseProcessIdentity(found);
  if (holder !== undefined && isSameProcess(holder)) throw alreadyRunning(holder, dataDir);
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  // Another process may have taken the stale file over between the read and the rename: then its claim goes back.
  if (readText(aside) !== found) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function alreadyRunning(holder: ProcessIdentity, dataDir: string): Error {
  return new Error(
    `fillsafe dev is already running with pid ${holder.pid} on ${dataDir}; stop it or choose another --data-dir`,
  );
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
