import fc from 'fast-check';
import {
  addDecimals,
  canonicalDecimal,
  compareDecimals,
  divideDecimals,
  isDecimalString,
  isMultipleOf,
  isPositive,
  multiplyDecimals,
  subtractDecimals,
} from '../../../src/domain/decimal';

const decimal = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, scale]) => {
    const text = digits.toString().padStart(scale + 1, '0');
    return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  });

describe('decimal amounts', () => {
  it.each(['0', '23', '0.00141', '-1.5', '1'.repeat(30), `0.${'0'.repeat(29)}1`])('take %s', (text) => {
    expect(isDecimalString(text)).toBe(true);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '1e3',
    '01',
    '.5',
    '5.',
    '1,5',
    'NaN',
    'Infinity',
    '0x10',
    '1'.repeat(31),
    '٣',
    '1\n',
  ])('refuse %j', (text) => {
    expect(isDecimalString(text)).toBe(false);
  });

  it.each([[23], [23n], [null], [undefined], [new String('1')], [['1']]])('refuse what is no string: %p', (value) => {
    expect(isDecimalString(value)).toBe(false);
  });

  it('write one amount one way', () => {
    for (const text of ['23', '23.0', '23.00']) expect(canonicalDecimal(text)).toBe('23');
    expect(canonicalDecimal('0.00')).toBe('0');
    expect(canonicalDecimal('0.000000000000000000000000000001')).toBe('0.000000000000000000000000000001');
    expect(canonicalDecimal('100000000000000000000000000000')).toBe('100000000000000000000000000000');
  });

  it('add, subtract and multiply without binary noise', () => {
    expect(addDecimals('0.1', '0.2')).toBe('0.3');
    expect(subtractDecimals('0.3', '0.1')).toBe('0.2');
    expect(multiplyDecimals('0.1', '0.1')).toBe('0.01');
    expect(multiplyDecimals('999999999999.99999999', '999999999999.99999999')).toBe(
      '999999999999999999980000.0000000000000001',
    );
  });

  it('come back to where they started when the same amount is added and taken off', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(subtractDecimals(addDecimals(a, b), b)).toBe(canonicalDecimal(a));
        expect(compareDecimals(addDecimals(a, b), b)).toBe(isPositive(a) ? 1 : 0);
      }),
    );
  });

  it('divide to 16 significant digits and refuse to divide by zero', () => {
    expect(divideDecimals('1', '3')).toBe('0.3333333333333333');
    expect(divideDecimals('2', '3')).toBe('0.6666666666666667');
    expect(divideDecimals('1', '8')).toBe('0.125');
    expect(() => divideDecimals('1', '0.00')).toThrow('cannot divide 1 by zero');
  });

  it('compare by value and know what is above zero', () => {
    expect(compareDecimals('1.10', '1.1')).toBe(0);
    expect(compareDecimals('0.9', '0.10')).toBe(1);
    expect(compareDecimals('9', '10')).toBe(-1);
    expect([isPositive('0.000000000001'), isPositive('0'), isPositive('0.0'), isPositive('-1')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('know the steps of a venue, exactly where floats do not', () => {
    expect(isMultipleOf('0.3', '0.1')).toBe(true);
    expect(isMultipleOf('0.35', '0.1')).toBe(false);
    expect(isMultipleOf('0.35', '0.1', '0.05')).toBe(true);
  });
});
