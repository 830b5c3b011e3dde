import type { DecimalString } from '../domain/decimal';
import { oneLine } from '../domain/one-line';
import type { Fill, OrderState, PlaceOrderInput } from '../domain/order';
import type { FailureInput, FailureVerdict } from '../failures/categories';

/** Names one order at the venue. */
export type OrderRef = { clientOrderId: string } | { orderId: string };

/** An order in the venue's book or history, with what reconciliation needs to compare. */
export interface VenueOrder extends OrderState {
  symbol: string;
  side: 'BUY' | 'SELL';
  type: string;
  quantity: DecimalString;
  price: DecimalString;
  /** Epoch ms, venue's clock. */
  time: number;
}

/** What a job's result keeps of a venue's order. */
export function orderStateOf(order: VenueOrder): OrderState {
  const { orderId, clientOrderId, status, executedQuantity, averagePrice, fills } = order;
  return { orderId, clientOrderId, status, executedQuantity, averagePrice, fills };
}

export interface VenueTrade extends Fill {
  orderId: string;
}

/** What a venue's adapter can do. No method retries; each throws a `VenueError` with all that is known of the failure. */
export interface VenuePort {
  readonly name: string;
  readonly exchange: string;
  readonly market: string;
  /** Milliseconds after its timestamp within which the venue still takes a request. */
  readonly recvWindowMs: number;

  /**
   * Places the order under `clientOrderId`: signs once, sends once.
   * `beforeSend` runs after signing, right before the first byte; when it throws, nothing is sent and its error is thrown.
   */
  placeOrder(order: PlaceOrderInput, clientOrderId: string, beforeSend: () => void): Promise<OrderState>;
  /** Cancels an open order; the matching engine answers. Throws GONE for one that is not open (any more). */
  cancelOrder(symbol: string, ref: OrderRef, beforeSend?: () => void): Promise<OrderState>;
  /** The order with its fills, or `undefined` when the venue says that it knows none. */
  findOrder(symbol: string, ref: OrderRef): Promise<VenueOrder | undefined>;
  /** All orders of a symbol, oldest first, since epoch ms `since` (all pages). */
  listOrders(symbol: string, since?: number): Promise<VenueOrder[]>;
  /** All own trades of a symbol, oldest first, since epoch ms `since` (all pages). */
  listTrades(symbol: string, since?: number): Promise<VenueTrade[]>;
  /** Measures the venue's clock against this machine's. Later requests are stamped with the venue's time. */
  syncClock(): Promise<void>;
  /** Venue's clock now and how far it may be wrong, in ms: half the round trip of the last measurement, plus drift since. */
  clock(): { nowMs: number; errorMs: number };
}

/** A call to a venue that did not bring the answer asked for. `verdict` says what that means. */
export class VenueError extends Error {
  override readonly name = 'VenueError';
  readonly isVenueError = true;

  constructor(
    readonly failure: FailureInput,
    readonly verdict: FailureVerdict,
    options?: { cause?: unknown },
  ) {
    super(oneLine(failure.message ?? `${failure.exchange} ${failure.operation} failed`), options);
  }
}

export function isVenueError(error: unknown): error is VenueError {
  return typeof error === 'object' && error !== null && 'isVenueError' in error;
}
