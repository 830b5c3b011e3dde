import { compareDecimals } from '../../domain/decimal';
import { executedBy } from '../../domain/fills';
import type { OrderState, PlaceOrderInput } from '../../domain/order';
import { isVenueError, type OrderRef, type VenueOrder, type VenuePort } from '../port';
import {
  cancelledSchema,
  cancelledState,
  orderSchema,
  placedSchema,
  placedState,
  serverTimeSchema,
  venueOrder,
} from './answers';
import { listOrders, listTrades, listTradesOfOrder } from './history';
import type { QueryParams } from './sign';
import { createSpotClient, toVenueError, type SpotClient } from './spot-client';
import { createVenueClock, systemTime, type TimeSource } from './venue-clock';

export interface BinanceSpotOptions {
  /** The venue's name in the configuration. */
  name: string;
  /** Scheme, host and port, and a path before `/api` if there is one. */
  baseUrl: string;
  apiKey: string;
  apiSecret: string;
  /** 1 to 60000. Binance recommends 5000 or less; it bounds how long a request whose answer was lost may still enter. */
  recvWindowMs?: number;
  /**
   * For one whole call. The venue itself waits up to 10 s for its matching engine and then says that it does not know, so
   * anything below 11 s makes doubts that the venue could have settled. Configuration holds that bound; tests go below.
   */
  timeoutMs?: number;
  clock?: TimeSource;
}

/** Types that name a price must say how long they stand; the venue has no default for it. */
const NEEDS_TIME_IN_FORCE = new Set(['LIMIT', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT_LIMIT']);
/** An order may fill between the two reads that make up its state, so they are read again this often until they agree. */
const MAX_READS = 3;

/**
 * Binance spot over REST (`/api/v3`), HMAC keys. Each method sends each of its requests once and throws a `VenueError`
 * with category and phase for whatever is not the answer asked for. Call `syncClock` before the first signed request.
 */
export function createBinanceSpot(options: BinanceSpotOptions): VenuePort {
  const { name, baseUrl, apiKey, apiSecret, recvWindowMs = 5000, timeoutMs = 11_000, clock = systemTime } = options;
  const venueClock = createVenueClock(clock);
  const root = checkedBaseUrl(name, baseUrl);
  checkRange(name, 'recvWindowMs', recvWindowMs, 60_000);
  checkRange(name, 'timeoutMs', timeoutMs, 600_000);
  checkHeaderText(name, 'apiKey', apiKey);
  checkHeaderText(name, 'apiSecret', apiSecret);
  const call = createSpotClient({ baseUrl: root, apiKey, apiSecret, recvWindowMs, timeoutMs, clock: venueClock });

  return {
    name,
    exchange: 'binance',
    market: 'spot',
    recvWindowMs,
    async placeOrder(order, clientOrderId, beforeSend) {
      const params = placeParams(order, clientOrderId);
      const path = '/api/v3/order';
      const answer = await call({ operation: 'place', method: 'POST', path, params, schema: placedSchema, beforeSend });
      return checkedPlacement(placedState(answer), clientOrderId);
    },
    cancelOrder: (symbol, ref, beforeSend) => cancelOrder(call, symbol, ref, beforeSend),
    findOrder: (symbol, ref) => findOrder(call, symbol, ref),
    listOrders: (symbol, since) => listOrders(call, symbol, { since, nowMs: venueClock.read().nowMs }),
    listTrades: (symbol, since) => listTrades(call, symbol, { since, nowMs: venueClock.read().nowMs }),
    async syncClock() {
      const askedAtMs = venueClock.monotonicMs();
      const schema = serverTimeSchema;
      const answer = await call({ operation: 'query', method: 'GET', path: '/api/v3/time', schema, signed: false });
      venueClock.measured(answer.serverTime, askedAtMs, venueClock.monotonicMs());
    },
    clock: () => venueClock.read(),
  };
}

function placeParams(order: PlaceOrderInput, clientOrderId: string): QueryParams {
  const { symbol, side, type, quantity, quoteQuantity, price, stopPrice } = order;
  const timeInForce = order.timeInForce ?? (NEEDS_TIME_IN_FORCE.has(type) ? 'GTC' : undefined);
  return {
    symbol,
    side,
    type,
    timeInForce,
    quantity,
    quoteOrderQty: quoteQuantity,
    price,
    stopPrice,
    newClientOrderId: clientOrderId,
    newOrderRespType: 'FULL',
  };
}

/** An answer that speaks of another order, or does not account for what executed, is no answer: the look-up decides. */
function checkedPlacement(state: OrderState, clientOrderId: string): OrderState {
  const shown = executedBy(state.fills);
  const isOther = state.clientOrderId !== clientOrderId;
  if (!isOther && compareDecimals(shown, state.executedQuantity) === 0) return state;
  const lack = isOther
    ? `names client order id ${state.clientOrderId}`
    : `says that ${state.executedQuantity} executed, its fills ${shown}`;
  const message = `the answer to order ${clientOrderId} ${lack}: look the order up`;
  throw toVenueError({ operation: 'place', phase: 'response', httpStatus: 200, message });
}

async function cancelOrder(
  call: SpotClient,
  symbol: string,
  ref: OrderRef,
  beforeSend: (() => void) | undefined,
): Promise<OrderState> {
  const params = { symbol, ...refParams(ref) };
  const path = '/api/v3/order';
  const answer = await call({
    operation: 'cancel',
    method: 'DELETE',
    path,
    params,
    schema: cancelledSchema,
    beforeSend,
  });
  const cancelled = cancelledState(answer);
  if (compareDecimals(cancelled.executedQuantity, '0') === 0) return cancelled;
  try {
    const order = await findOrder(call, symbol, { orderId: cancelled.orderId });
    if (order === undefined) throw new Error(`order ${cancelled.orderId} is cancelled, but no read shows it yet`);
    return { ...cancelled, averagePrice: order.averagePrice, fills: order.fills };
  } catch (error) {
    // The cancel stands. Without the fills its answer is incomplete, which for an act means: look again, do not fail.
    // The inner error's words stay in the cause: as part of this message they would be classified.
    const message = `order ${cancelled.orderId} is cancelled, but its fills could not be read: look the order up`;
    throw toVenueError({ operation: 'cancel', phase: 'response', httpStatus: 200, message }, error);
  }
}

/**
 * Where a client order id was used more than once, the venue answers with the latest order. "No such order" is no proof:
 * reads lag behind the matching engine.
 */
async function findOrder(call: SpotClient, symbol: string, ref: OrderRef): Promise<VenueOrder | undefined> {
  const params = { symbol, ...refParams(ref) };
  const path = '/api/v3/order';
  for (let read = 1; ; read += 1) {
    const answer = await call({ operation: 'query', method: 'GET', path, params, schema: orderSchema }).catch(
      noSuchOrder,
    );
    if (answer === undefined) return undefined;
    if (compareDecimals(answer.executedQty, '0') === 0) return venueOrder(answer, []);
    const trades = await listTradesOfOrder(call, symbol, answer.orderId);
    const fills = trades.map(({ orderId: _order, ...fill }) => fill);
    const shown = executedBy(fills);
    if (compareDecimals(shown, answer.executedQty) === 0) return venueOrder(answer, fills);
    if (read === MAX_READS) {
      const message = `order ${answer.orderId} executed ${answer.executedQty}, its trades show ${shown}: look again later`;
      throw toVenueError({ operation: 'query', phase: 'response', httpStatus: 200, message });
    }
  }
}

function noSuchOrder(error: unknown): undefined {
  if (isVenueError(error) && error.failure.code === -2013) return undefined;
  throw error;
}

function refParams(ref: OrderRef): QueryParams {
  return 'orderId' in ref ? { orderId: ref.orderId } : { origClientOrderId: ref.clientOrderId };
}

function checkedBaseUrl(name: string, baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (!isPlain || url.username !== '' || url.password !== '') {
    throw new Error(`venue ${name}: baseUrl must be an http or https address without query or credentials`);
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function checkRange(name: string, field: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new Error(`venue ${name}: ${field} is ${value}: give whole milliseconds from 1 to ${max}`);
}

/** A key with a line break from a file would make every request fail as if its outcome were unknown. */
function checkHeaderText(name: string, field: string, value: string): void {
  if (/^[\x21-\x7e]+$/.test(value)) return;
  throw new Error(
    `venue ${name}: ${field} must be printable ASCII without spaces or line breaks: check how it is given`,
  );
}
