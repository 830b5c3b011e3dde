import { randomBytes } from 'node:crypto';

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
/** Stands before a number that would be rounded; random, so that no text of a caller can look like it. */
const MARK = `rounded-${randomBytes(9).toString('hex')}:`;

/** JSON text with numbers that JSON.parse would round. `problems` name each field. */
export class RoundedNumberError extends Error {
  override readonly name = 'RoundedNumberError';

  constructor(readonly problems: string[]) {
    super(problems.join('; '));
  }
}

/**
 * JSON.parse that refuses to round: 12345678901234567890 would silently become 12345678901234567000, and a rounded amount
 * or id is another one. Throws a `RoundedNumberError`, or a SyntaxError for what is not JSON.
 */
export function parseUnrounded(text: string): unknown {
  const value: unknown = JSON.parse(
    text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') || survives(token) ? token : `"${MARK}${token}"`)),
  );
  const problems = [...roundedIn(value, '')];
  if (problems.length > 0) throw new RoundedNumberError(problems);
  return value;
}

/** 15 digits always come back as they were. */
function survives(token: string): boolean {
  const digits = token
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  return digits.length <= 15 && Number.isFinite(Number(token));
}

function* roundedIn(value: unknown, path: string): Generator<string> {
  if (typeof value === 'string' && value.startsWith(MARK)) {
    const digits = value.slice(MARK.length);
    yield `${path || 'value'}: ${digits} is a number that would be rounded; "${digits}" in quotes keeps every digit`;
  } else if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) yield* roundedIn(each, `${path}[${i}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) yield* roundedIn(each, path ? `${path}.${key}` : key);
  }
}
