import type { Redis } from 'ioredis';

// The scripts read Redis's own clock. Time passes in a test by moving what is stored into the past, which no script can
// tell from a clock that moved on.

const RECORD_TIMES = { leaseUntil: 6, quiesceAt: 7, createdAt: 10, settledAt: 11, lookAt: 13, absentAt: 16 };
const SLOTS = 10;

/** Lets `ms` pass for a packed record, an unset time stays unset. */
export function shiftRecord(raw: string, ms: number): string {
  const lines = raw.split('\n');
  for (const at of Object.values(RECORD_TIMES)) if (lines[at]) lines[at] = String(Number(lines[at]) - ms);
  return lines.join('\n');
}

/** Lets `ms` pass for a packed store. */
export function shiftStore(raw: string, ms: number): string {
  const lines = raw.split('\n');
  if (lines[3] !== '0') lines[3] = String(Math.max(Number(lines[3]) - ms, 0));
  return lines.join('\n');
}

const BREAKER_TIMES = { since: 2, openUntil: 3, holdUntil: 10, probeUntil: 11 };
const BREAKER_SECONDS = { second: 12, fullSecond: 14 };
const [PERMITS, RING] = [18, 19];

/** Lets `ms`, whole seconds and a whole number of slots of the window or less than one, pass for a packed breaker. */
export function shiftBreaker(raw: string, ms: number, windowMs: number): string {
  const lines = raw.split('\n');
  const slots = Math.floor((ms * SLOTS) / windowMs);
  const less = (text: string | undefined, by: number): string => String(Math.max(Number(text ?? 0) - by, 0));
  // Not `turnedAt`: which GO came before which turn is told by the clock that gave them their fences.
  for (const at of Object.values(BREAKER_TIMES)) if (lines[at]) lines[at] = less(lines[at], ms);
  for (const at of Object.values(BREAKER_SECONDS)) if (lines[at]) lines[at] = less(lines[at], ms / 1_000);
  const each = (line: string | undefined, change: (parts: string[]) => string[]): string =>
    (line ?? '')
      .split(',')
      .filter(Boolean)
      .map((entry) => change(entry.split(':')).join(':'))
      .join(',');
  lines[PERMITS] = each(lines[PERMITS], ([holder = '', till]) => [holder, less(till, ms)]);
  lines[RING] = each(lines[RING], ([slot, ...counts]) => [less(slot, slots), ...counts]);
  return lines.join('\n');
}

/** Lets `ms` pass for a key and for its time to live. */
export async function age(
  redis: Redis,
  key: string,
  { ms, shift }: { ms: number; shift: (raw: string, ms: number) => string },
): Promise<void> {
  const [raw, left] = [await redis.get(key), await redis.pttl(key)];
  if (raw === null) return;
  if (left === -1) await redis.set(key, shift(raw, ms));
  else if (left > ms) await redis.set(key, shift(raw, ms), 'PX', left - ms);
  else await redis.del(key);
}

/** Rewrites a key in place; its time to live stays. */
export async function rewrite(redis: Redis, key: string, change: (raw: string) => string): Promise<void> {
  const raw = await redis.get(key);
  if (raw !== null) await redis.set(key, change(raw), 'KEEPTTL');
}

/** Lets `ms` pass for packed orders of people. */
export function shiftOverride(raw: string, ms: number): string {
  if (raw === '') return raw;
  const lines = raw.split('\n');
  if (lines[4] !== '0') lines[4] = String(Math.max(Number(lines[4]) - ms, 1));
  return lines.join('\n');
}
