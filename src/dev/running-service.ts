import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildExit, ChildHandle } from './child';
import { formatProcessIdentity, identifyProcess, isSameProcess, parseProcessIdentity } from './process-identity';
import { waitUntil } from './wait-until';

/** A service of the embedded stack that answers. */
export interface RunningService {
  name: string;
  /** As clients take it: `127.0.0.1:7233` for Temporal, `redis://127.0.0.1:6379` for Redis. */
  address: string;
  pid: number | undefined;
  exited: Promise<ChildExit>;
  /** SIGTERM, then SIGKILL after a bounded wait; resolves when the process is gone. Its data stays. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Waits until a child that was just started answers. When it does not, or ends before, the child is ended.
 * @param probe resolves true when the service answers; throwing counts as not yet.
 * @throws Error with the last lines of the child's output.
 */
export async function untilReady(
  child: ChildHandle,
  probe: () => Promise<boolean>,
  { timeoutMs, logFile }: { timeoutMs: number; logFile: string },
): Promise<void> {
  let problem = 'no answer';
  const ready = await waitUntil(
    async () => {
      if (!child.running) return true;
      try {
        return await probe();
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        return false;
      }
    },
    { timeoutMs },
  );
  if (ready && child.running) return;
  const { code, signal } = child.running ? { code: null, signal: null } : await child.exited;
  const lines = child.recentLines();
  await child.stop({ graceMs: 1_000 });
  const what = ready
    ? `ended at once (${signal ?? `exit code ${code}`})`
    : `not ready after ${timeoutMs / 1000} s: ${problem}`;
  const said = lines.length > 0 ? `; its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}` : '';
  throw new Error(`${child.name}: ${what}; log: ${logFile}${said}`);
}

/**
 * Notes which process serves a data directory, and first ends the one noted before if it still runs: one that outlived
 * both its parent and the watchdog would write to the same files as the new one.
 */
export async function endOrphan(dataDir: string, name: string, log: (line: string) => void): Promise<void> {
  const file = pidFile(dataDir, name);
  let orphan;
  try {
    orphan = parseProcessIdentity(readFileSync(file, 'utf8'));
  } catch {
    return;
  }
  if (orphan !== undefined && isSameProcess(orphan)) {
    const { pid } = orphan;
    log(`ending a ${name} left over from before (pid ${pid})`);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (isSameProcess(orphan)) process.kill(pid, signal);
      if (await waitUntil(async () => !isSameProcess(orphan), { timeoutMs: 5_000 })) break;
    }
  }
  rmSync(file, { force: true });
}

export function noteProcess(dataDir: string, name: string, pid: number | undefined): void {
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  if (identity !== undefined) writeFileSync(pidFile(dataDir, name), formatProcessIdentity(identity));
}

function pidFile(dataDir: string, name: string): string {
  return join(dataDir, `${name}.pid`);
}
