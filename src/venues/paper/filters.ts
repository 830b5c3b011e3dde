import type { DecimalString } from '../../domain/decimal';
import { compareDecimals, isMultipleOf, multiplyDecimals } from '../../domain/decimal';
import { decimalPlaces } from './amounts';
import type { SymbolConfig } from './config';
import type { NewOrder } from './orders';
import { filterFailure, tooMuchPrecision } from './wire-error';

/** Decimals that the venue keeps of an asset; more of them in a request are refused. */
const PRECISION = 8;

type Filters = SymbolConfig['filters'];

/** Throws -1013 or -1111 for the first rule of the symbol that the order breaks. `market` prices orders without a limit. */
export function checkFilters(order: NewOrder, filters: Filters, market: DecimalString): void {
  checkPrice('price', order.price, filters.price);
  checkPrice('stopPrice', order.stopPrice, filters.price);
  if (order.quoteQuantity !== '0') {
    if (decimalPlaces(order.quoteQuantity) > PRECISION) throw tooMuchPrecision('quoteOrderQty');
  } else {
    checkLot(order.quantity, filters.lot);
  }
  checkNotional(order, filters.notional, market);
}

/** Whether `value` lies on the venue's grid and within its bounds; a zero bound is no bound. */
function inBounds(value: DecimalString, min: DecimalString, max: DecimalString): boolean {
  const aboveMin = min === '0' || compareDecimals(value, min) >= 0;
  return aboveMin && (max === '0' || compareDecimals(value, max) <= 0);
}

function checkPrice(name: string, price: DecimalString, { min, max, tick }: Filters['price']): void {
  if (price === '0') return;
  // Bounds go before precision: a price far below the minimum breaks the filter, however many digits it takes to say so.
  if (!inBounds(price, min, max)) throw filterFailure('PRICE_FILTER');
  if (decimalPlaces(price) > PRECISION) throw tooMuchPrecision(name);
  if (tick !== '0' && !isMultipleOf(price, tick)) throw filterFailure('PRICE_FILTER');
}

export function checkLot(quantity: DecimalString, { min, max, step }: Filters['lot']): void {
  if (!inBounds(quantity, min, max) || quantity === '0') throw filterFailure('LOT_SIZE');
  if (decimalPlaces(quantity) > PRECISION) throw tooMuchPrecision('quantity');
  if (step !== '0' && !isMultipleOf(quantity, step)) throw filterFailure('LOT_SIZE');
}

function checkNotional(order: NewOrder, rule: Filters['notional'], market: DecimalString): void {
  const limitPrice = order.price !== '0' ? order.price : order.stopPrice;
  const marketOrder = limitPrice === '0';
  const notional =
    order.quoteQuantity !== '0'
      ? order.quoteQuantity
      : multiplyDecimals(marketOrder ? market : limitPrice, order.quantity);
  const tooLow = (!marketOrder || rule.apply_min_to_market) && compareDecimals(notional, rule.min) < 0;
  const tooHigh =
    rule.max !== '0' && (!marketOrder || rule.apply_max_to_market) && compareDecimals(notional, rule.max) > 0;
  if (tooLow || tooHigh) throw filterFailure('NOTIONAL');
}

/** The symbol's rules as `exchangeInfo` shows them. */
export function describeFilters(filters: Filters, wire: (amount: DecimalString) => string): Record<string, unknown>[] {
  const { price, lot, notional } = filters;
  const shown: Record<string, unknown>[] = [
    { filterType: 'PRICE_FILTER', minPrice: wire(price.min), maxPrice: wire(price.max), tickSize: wire(price.tick) },
    { filterType: 'LOT_SIZE', minQty: wire(lot.min), maxQty: wire(lot.max), stepSize: wire(lot.step) },
    {
      filterType: 'NOTIONAL',
      minNotional: wire(notional.min),
      applyMinToMarket: notional.apply_min_to_market,
      maxNotional: wire(notional.max),
      applyMaxToMarket: notional.apply_max_to_market,
      avgPriceMins: 0,
    },
  ];
  if (filters.max_num_orders) shown.push({ filterType: 'MAX_NUM_ORDERS', maxNumOrders: filters.max_num_orders });
  return shown;
}
