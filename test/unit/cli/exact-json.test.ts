import { parseUnrounded } from '../../../src/cli/exact-json';

describe('reading JSON without rounding', () => {
  it('names each number that would be rounded, with the digits as they were given', () => {
    const json = '{"orderId": 12345678901234567890, "tags": {"n": [0.1234567890123456789]}, "big": 1e999}';
    expect(() => parseUnrounded(json)).toThrow('orderId: 12345678901234567890 is a number that would be rounded');
    expect(() => parseUnrounded(json)).toThrow('tags.n[0]: 0.1234567890123456789');
    expect(() => parseUnrounded(json)).toThrow('big: 1e999');
  });

  it('leaves every other value as JSON.parse gives it', () => {
    const json =
      '{"a": 1515568500000, "b": -0.00141, "c": "12345678901234567890", "d": "say \\"1e999\\"", "e": [1e3, null]}';
    expect(parseUnrounded(json)).toEqual(JSON.parse(json));
  });

  it('refuses what is not JSON', () => {
    expect(() => parseUnrounded('{"a": 01}')).toThrow(SyntaxError);
  });
});
