import type { DecimalString } from '../../domain/decimal';
import type { OrderSide, OrderType, TimeInForce } from '../../domain/order';

export type OrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED';

/** What a request asks for. `"0"` stands for an amount that was not given. */
export interface NewOrder {
  symbol: string;
  side: OrderSide;
  type: OrderType;
  timeInForce: TimeInForce;
  quantity: DecimalString;
  quoteQuantity: DecimalString;
  price: DecimalString;
  stopPrice: DecimalString;
  clientOrderId: string | undefined;
}

/** An order that the venue has taken. */
export interface PaperOrder extends Omit<NewOrder, 'clientOrderId'> {
  orderId: number;
  account: string;
  clientOrderId: string;
  status: OrderStatus;
  executed: DecimalString;
  quoteExecuted: DecimalString;
  /** What its account still has locked for it: quote asset for a BUY, base asset for a SELL. */
  reserved: DecimalString;
  /** False for a stop order whose price has not been reached. */
  working: boolean;
  /** Epoch ms; -1 before the order works. */
  workingTime: number;
  time: number;
  updateTime: number;
}

export interface PaperTrade {
  tradeId: number;
  orderId: number;
  price: DecimalString;
  quantity: DecimalString;
  quoteQuantity: DecimalString;
  commission: DecimalString;
  commissionAsset: string;
  /** Epoch ms. */
  time: number;
  isMaker: boolean;
}

/** Everything that changes the venue's state: one line of the journal each, and enough to build the state again. */
export type VenueEvent =
  | { event: 'order'; order: PaperOrder; trades: PaperTrade[]; ends?: 'EXPIRED' }
  | { event: 'fill'; trade: PaperTrade }
  | { event: 'trigger'; orderId: number; time: number }
  | { event: 'end'; orderId: number; status: 'CANCELED' | 'EXPIRED'; time: number };

export function isOpen(order: PaperOrder): boolean {
  return order.status === 'NEW' || order.status === 'PARTIALLY_FILLED';
}
