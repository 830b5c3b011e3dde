import { once } from 'node:events';

/** Writes one line to stdout and waits where the reader is slower than we are, so that nothing piles up in memory. */
export async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

export function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value));
}

/** For people only: never on stdout, where a program may be reading. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** `4 s`, `3 min`, `2 h`, `5 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `4 s ago`. */
export function ago(atMs: number, nowMs = Date.now()): string {
  return `${duration(nowMs - atMs)} ago`;
}

/** `2018-01-10 07:15:00.123 UTC`. */
export function clockTime(atMs: number): string {
  return `${new Date(atMs).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `1 job`, `3 jobs`. */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
