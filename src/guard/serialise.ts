/** A result that would not come back from Temporal or Redis as it is. Found before the record says DONE, never after. */
export class UnserialisableResultError extends Error {
  override readonly name = 'UnserialisableResultError';
}

/** Bytes of JSON text that a record keeps of a result at most: Redis holds each for days. */
export const MOST_KEPT_BYTES = 2_048;

/**
 * JSON text of a result that survives the round trip unchanged: plain objects, arrays, strings, finite numbers, booleans
 * and null. Anything else (bigint, Date, Map, NaN, a class) would be refused or silently changed on the way, for ever; and so is what would fill Redis.
 */
export function serialiseResult(result: unknown): string {
  assertPlain(result, 'result');
  const text = JSON.stringify(result);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MOST_KEPT_BYTES) return text;
  throw new UnserialisableResultError(
    `result has ${bytes} bytes as JSON, and ${MOST_KEPT_BYTES} are kept at most: return ids, states and amounts, ` +
      'and keep the rest where it can be read again by them',
  );
}

function assertPlain(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return;
  if (Array.isArray(value)) {
    value.forEach((each, i) => assertPlain(each, `${path}[${i}]`));
    return;
  }
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    // Objects of another realm have another Object.prototype; its own prototype is null there too.
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      for (const [key, each] of Object.entries(value)) if (each !== undefined) assertPlain(each, `${path}.${key}`);
      return;
    }
  }
  const what = typeof value === 'object' ? `a ${value.constructor.name}` : `${typeof value} ${String(value)}`;
  throw new UnserialisableResultError(
    `${path} is ${what}, which JSON cannot carry: return strings, finite numbers, booleans, null, arrays and plain objects`,
  );
}
