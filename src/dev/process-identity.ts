import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one under the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, as the system says it: an opaque string, equal for the same process alone. */
  startTime: string;
}

/**
 * The identity of a running process, or `undefined` when there is none (a zombie counts as none).
 * Linux: clock ticks since boot from /proc; elsewhere `ps -o lstart`, which is exact to a second.
 */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether this very process still runs. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTime === identity.startTime;
}

export function parseProcessIdentity(text: string): ProcessIdentity | undefined {
  const [pid, startTime] = text.trim().split(/\s+/);
  return pid !== undefined && /^\d+$/.test(pid) && startTime ? { pid: Number(pid), startTime } : undefined;
}

export function formatProcessIdentity({ pid, startTime }: ProcessIdentity): string {
  return `${pid} ${startTime}\n`;
}

function linuxStartTime(pid: number): string | undefined {
  try {
    // The command's name may hold spaces and brackets, so fields count from after the last bracket: state is the first.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function psStartTime(pid: number): string | undefined {
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return started.trim().replace(/\s+/g, '_') || undefined;
  } catch {
    return undefined;
  }
}
