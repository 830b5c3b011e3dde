import { Decimal } from 'decimal.js';

// 60 digits hold any product of two amounts that a venue accepts, so only division rounds.
const Exact = Decimal.clone({ precision: 60, toExpNeg: -60, toExpPos: 60 });

/** Plain decimal notation: no sign but a leading minus, no exponent, no leading zeros, at most 30 digits on each side. */
const DECIMAL = /^-?(0|[1-9]\d{0,29})(\.\d{1,30})?$/;

/** An amount of money or quantity as a plain decimal string (`"0.00141"`), never a binary float. */
export type DecimalString = string;

export function isDecimalString(value: unknown): value is DecimalString {
  return typeof value === 'string' && DECIMAL.test(value);
}

/** The same amount without trailing zeros: `"23.00"` → `"23"`. Two spellings of one amount become equal strings. */
export function canonicalDecimal(value: DecimalString): DecimalString {
  return new Exact(value).toFixed();
}

export function isPositive(value: DecimalString): boolean {
  return new Exact(value).greaterThan(0);
}

/** -1, 0 or 1, as `left` is below, equal to or above `right`. */
export function compareDecimals(left: DecimalString, right: DecimalString): -1 | 0 | 1 {
  return new Exact(left).comparedTo(right) as -1 | 0 | 1;
}

export function addDecimals(left: DecimalString, right: DecimalString): DecimalString {
  return new Exact(left).plus(right).toFixed();
}

export function subtractDecimals(left: DecimalString, right: DecimalString): DecimalString {
  return new Exact(left).minus(right).toFixed();
}

export function multiplyDecimals(left: DecimalString, right: DecimalString): DecimalString {
  return new Exact(left).times(right).toFixed();
}

/** Quotient, exact to 16 significant digits. Throws on a zero divisor. */
export function divideDecimals(dividend: DecimalString, divisor: DecimalString): DecimalString {
  const by = new Exact(divisor);
  if (by.isZero()) throw new RangeError(`cannot divide ${dividend} by zero`);
  return new Exact(dividend).dividedBy(by).toSignificantDigits(16).toFixed();
}

/** Whether `value` is a whole number of `step`s above `offset`: the shape of a venue's price and lot filters. */
export function isMultipleOf(value: DecimalString, step: DecimalString, offset: DecimalString = '0'): boolean {
  return new Exact(value).minus(offset).modulo(step).isZero();
}
