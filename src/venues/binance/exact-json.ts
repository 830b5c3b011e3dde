const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
/** 2^53 has 16 digits, so any shorter integer survives JSON.parse unharmed. */
const LONG_INTEGER = /^-?\d{16,}$/;

/**
 * JSON.parse, but integers of 16 digits and more come out as strings: order and trade ids are 64 bits wide, a number is not,
 * and a rounded id names another order. Throws a SyntaxError for anything that is not JSON.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text.replace(STRING_OR_NUMBER, (token) => (LONG_INTEGER.test(token) ? `"${token}"` : token)));
}
