import type { FailureInput } from './categories';

/**
 * How long the venue asks to be left alone, in ms from `nowMs` (epoch ms): the `Retry-After` header (seconds, or an HTTP
 * date), or the end of a ban that the message states (`IP banned until <epoch ms>`); the longer where both are given.
 */
export function statedWaitMs({ headers, message }: FailureInput, nowMs: number): number | undefined {
  const waits = [headerWaitMs(headers, nowMs), banWaitMs(message, nowMs)].filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

function headerWaitMs(headers: FailureInput['headers'], nowMs: number): number | undefined {
  const entry = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'retry-after');
  const value = entry === undefined ? '' : String(entry[1]).trim();
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  // Date.parse takes nearly anything for a date, so only the form of HTTP dates gets there.
  const date = /^[A-Z][a-z]{2}, .*GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function banWaitMs(message: string | undefined, nowMs: number): number | undefined {
  const until = /banned until (\d{13})\b/i.exec(message ?? '')?.[1];
  const wait = until === undefined ? 0 : Number(until) - nowMs;
  // A ban that seems over speaks of a wrong clock here: the answer came just now.
  return wait > 0 ? wait : undefined;
}
