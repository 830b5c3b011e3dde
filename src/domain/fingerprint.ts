import { createHash } from 'node:crypto';
import { canonicalDecimal, isDecimalString } from './decimal';
import type { JobInput } from './order.schema';

/**
 * Version of what is hashed and how. Raise it with any change: fingerprints of different versions are not compared, so that
 * a deploy cannot make false conflicts.
 */
const VERSION = 1;

/** For people or for finding things again; the venue never sees them, so they may differ between two submits of one intent. */
const NOT_PART_OF_THE_ACT = new Set(['decidedAt', 'strategy', 'tags']);
const AMOUNTS = new Set(['quantity', 'quoteQuantity', 'price', 'stopPrice']);

/** `<version>:<hash>` of what an act does to the world. Two inputs of one intent that differ in it are a CONFLICT. */
export function fingerprintOf(input: JobInput): string {
  const parts = Object.entries(input)
    .filter(([name, value]) => value !== undefined && !NOT_PART_OF_THE_ACT.has(name))
    .map(([name, value]) => [
      name,
      AMOUNTS.has(name) && isDecimalString(value) ? canonicalDecimal(value) : String(value),
    ])
    .sort(([left = ''], [right = '']) => (left < right ? -1 : 1));
  return versioned(JSON.stringify(parts));
}

/** The same for the input of an effect that people defined: all of it counts, as it stands; only the order of names does not. */
export function fingerprintOfJson(input: unknown): string {
  return versioned(canonicalJson(input));
}

function versioned(text: string): string {
  return `${VERSION}:${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
}

function canonicalJson(input: unknown): string {
  return JSON.stringify(input, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
      : value,
  );
}
