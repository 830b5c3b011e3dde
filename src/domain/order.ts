import type { DecimalString } from './decimal';

export const ORDER_SIDES = ['BUY', 'SELL'] as const;
export type OrderSide = (typeof ORDER_SIDES)[number];

export const ORDER_TYPES = [
  'LIMIT',
  'MARKET',
  'LIMIT_MAKER',
  'STOP_LOSS',
  'STOP_LOSS_LIMIT',
  'TAKE_PROFIT',
  'TAKE_PROFIT_LIMIT',
] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

export const TIMES_IN_FORCE = ['GTC', 'IOC', 'FOK'] as const;
export type TimeInForce = (typeof TIMES_IN_FORCE)[number];

/** An order that a service decided on: input of workflow and activity `placeOrder`. Amounts are decimal strings. */
export interface PlaceOrderInput {
  /** The caller's name for this decision, `[A-Za-z0-9._:-]{1,64}`, unique over all orders of all venues. */
  intentId: string;
  /** A venue of the configuration. */
  venue: string;
  /** An account of the venue, where it has several. */
  account?: string;
  symbol: string;
  side: OrderSide;
  type: OrderType;
  quantity?: DecimalString;
  /** Amount to spend or earn, for MARKET orders, in place of `quantity`. */
  quoteQuantity?: DecimalString;
  price?: DecimalString;
  stopPrice?: DecimalString;
  timeInForce?: TimeInForce;
  /** Epoch ms of the decision. For people; nothing is decided by it. */
  decidedAt?: number;
  /** Epoch ms by the venue's clock after which the order must not be sent any more. */
  expiresAt?: number;
  strategy?: string;
  tags?: Record<string, string>;
}

/** What to cancel: exactly one of `orderIntentId`, `clientOrderId` and `orderId`. */
export interface CancelOrderInput {
  intentId: string;
  venue: string;
  account?: string;
  symbol: string;
  orderIntentId?: string;
  clientOrderId?: string;
  orderId?: string;
}

export interface Fill {
  tradeId: string;
  price: DecimalString;
  quantity: DecimalString;
  fee: DecimalString;
  feeAsset: string;
  /** Epoch ms, venue's clock. */
  time: number;
}

/** An order as the venue tells it. */
export interface OrderState {
  orderId: string;
  clientOrderId: string;
  /** The venue's word: NEW, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED, EXPIRED, … */
  status: string;
  executedQuantity: DecimalString;
  /** Exact to 16 significant digits; `"0"` while nothing has executed. */
  averagePrice: DecimalString;
  fills: Fill[];
}

/** How a placed or cancelled order ended: result of `placeOrder` and `cancelOrder`. */
export interface OrderResult {
  intentId: string;
  status: 'done';
  order: OrderState;
  /** Whether an earlier caller's act is answered here. */
  replayed: boolean;
  /** Activity attempts that it took. */
  attempts: number;
}

/** Whether the order may stay in the book, so that its client order id protects it against a second send. */
export function canRest(order: Pick<PlaceOrderInput, 'type' | 'timeInForce'>): boolean {
  if (order.type === 'MARKET') return false;
  return order.timeInForce !== 'IOC' && order.timeInForce !== 'FOK';
}

/** One line for people: `BUY 23 XRPETH @ 0.00141 on paper`. */
export function describeOrder(order: PlaceOrderInput): string {
  const amount = order.quantity ?? `${order.quoteQuantity ?? '?'} worth of`;
  const price = order.price === undefined ? `at ${order.type.toLowerCase()}` : `@ ${order.price}`;
  const stop = order.stopPrice === undefined ? '' : `, stop ${order.stopPrice}`;
  return `${order.side} ${amount} ${order.symbol} ${price}${stop} on ${order.venue}`;
}

/** One line for people: `cancel order t000-in XRPETH on paper`. */
export function describeCancel(cancel: CancelOrderInput): string {
  return `cancel order ${cancel.orderIntentId ?? cancel.clientOrderId ?? cancel.orderId} ${cancel.symbol} on ${cancel.venue}`;
}
