import { addDecimals, type DecimalString } from './decimal';
import type { Fill } from './order';

/** The quantity that these fills come to. */
export function executedBy(fills: readonly Pick<Fill, 'quantity'>[]): DecimalString {
  return fills.reduce((total, { quantity }) => addDecimals(total, quantity), '0');
}
