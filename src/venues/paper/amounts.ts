import { Decimal } from 'decimal.js';
import type { DecimalString } from '../../domain/decimal';

const Exact = Decimal.clone({ precision: 60, toExpNeg: -60, toExpPos: 60 });

/** The greatest multiple of `step` that is not above `value`. A zero `step` leaves `value` as it is. */
export function floorToStep(value: DecimalString, step: DecimalString): DecimalString {
  const by = new Exact(step);
  if (by.isZero()) return value;
  const exact = new Exact(value);
  return exact.minus(exact.modulo(by)).toFixed();
}

/** `value` cut to `places` decimals, towards zero. */
export function truncateDecimal(value: DecimalString, places: number): DecimalString {
  return new Exact(value).toDecimalPlaces(places, Decimal.ROUND_DOWN).toFixed();
}

/** Decimals that the amount needs: 2 for `"1.50"` is 1. */
export function decimalPlaces(value: DecimalString): number {
  return new Exact(value).decimalPlaces();
}

/** An amount as the wire shows it: at least 8 decimals, never rounded. */
export function wireAmount(value: DecimalString): DecimalString {
  const dot = value.indexOf('.');
  if (dot === -1) return `${value}.00000000`;
  const missing = 9 - (value.length - dot);
  return missing > 0 ? value + '0'.repeat(missing) : value;
}
