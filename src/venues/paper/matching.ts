import type { DecimalString } from '../../domain/decimal';
import { addDecimals, compareDecimals, multiplyDecimals, subtractDecimals } from '../../domain/decimal';
import { floorToStep, truncateDecimal } from './amounts';
import type { SymbolConfig } from './config';
import type { PaperOrder, PaperTrade } from './orders';
import type { Random } from './random';

/** Decimals of a commission, which is cut and never rounded up. */
const COMMISSION_PLACES = 8;

type Filters = SymbolConfig['filters'];
type Prices = Pick<PaperOrder, 'side' | 'type' | 'price' | 'stopPrice'>;

/** Whether a limit order would trade at `market`. An order without a limit always does. */
export function crosses(order: Prices, market: DecimalString): boolean {
  if (order.price === '0') return true;
  const difference = compareDecimals(market, order.price);
  return order.side === 'BUY' ? difference <= 0 : difference >= 0;
}

/** Whether `market` has reached a stop order's price: above it for a buying stop and a selling take-profit, else below. */
export function triggers(order: Prices, market: DecimalString): boolean {
  const difference = compareDecimals(market, order.stopPrice);
  const rising = (order.side === 'BUY') === order.type.startsWith('STOP_LOSS');
  return rising ? difference >= 0 : difference <= 0;
}

/** Part of `quantity` on the lot's grid, between 30 % and 80 %; all of it where the grid is too coarse. */
export function partOf(quantity: DecimalString, random: Random, lot: Filters['lot']): DecimalString {
  const share = `0.${random.integer(30, 80)}`;
  const part = floorToStep(multiplyDecimals(quantity, share), lot.step);
  return compareDecimals(part, '0') > 0 ? part : quantity;
}

/** One or two slices of a taking order: the second one a tick worse, yet never beyond the limit. */
export function takerSlices(
  order: Prices,
  quantity: DecimalString,
  market: DecimalString,
  random: Random,
  { lot, price }: Filters,
): { price: DecimalString; quantity: DecimalString }[] {
  const first = random.fraction() < 0.5 ? quantity : partOf(quantity, random, lot);
  const rest = subtractDecimals(quantity, first);
  if (rest === '0') return [{ price: market, quantity }];
  const worse = order.side === 'BUY' ? addDecimals(market, price.tick) : subtractDecimals(market, price.tick);
  const reachable = compareDecimals(worse, '0') > 0 && crosses(order, worse);
  return [
    { price: market, quantity: first },
    { price: reachable ? worse : market, quantity: rest },
  ];
}

export function makeTrade(
  order: PaperOrder,
  slice: { price: DecimalString; quantity: DecimalString },
  at: { tradeId: number; time: number; isMaker: boolean },
  { symbol, commissionRate }: { symbol: SymbolConfig; commissionRate: DecimalString },
): PaperTrade {
  const quoteQuantity = multiplyDecimals(slice.price, slice.quantity);
  const received = order.side === 'BUY' ? slice.quantity : quoteQuantity;
  return {
    tradeId: at.tradeId,
    orderId: order.orderId,
    price: slice.price,
    quantity: slice.quantity,
    quoteQuantity,
    commission: truncateDecimal(multiplyDecimals(received, commissionRate), COMMISSION_PLACES),
    commissionAsset: order.side === 'BUY' ? symbol.base_asset : symbol.quote_asset,
    time: at.time,
    isMaker: at.isMaker,
  };
}
