import { compareDecimals } from '../src/domain/decimal';
import { clientOrderIdOf } from '../src/domain/client-order-id';
import { fingerprintOf } from '../src/domain/fingerprint';
import { canRest, describeOrder, type OrderState, type PlaceOrderInput } from '../src/domain/order';
import { parsePlaceOrder } from '../src/domain/order.schema';
import type { Effect, Sighting } from '../src/guard/effect';
import { isVenueError, orderStateOf, type VenueOrder, type VenuePort } from '../src/venues/port';
import type { EffectDeps } from './effect-deps';
import { keptOrder, wholeOrder } from './kept-order';
import { InconclusiveLookError } from './look-at';
import { orderOf } from './order-of';

/** Places one order. The order's client id is the same for every attempt, so that the venue can be asked for it. */
export function placeOrderEffect(deps: EffectDeps): Effect<PlaceOrderInput, OrderState> {
  const clientOrderId = (order: PlaceOrderInput): string => clientOrderIdOf({ namespace: deps.namespace, ...order });

  return {
    jobType: 'order.place',
    activity: 'placeOrder',
    venues: deps.venues,
    resultName: 'order',
    read: (given) => {
      const order = parsePlaceOrder(given);
      deps.checkVenue(order.venue);
      const { venue, intentId, symbol } = order;
      const ref = { venue, jobType: 'order.place', intentId };
      return {
        ref,
        input: order,
        given: order,
        fingerprint: fingerprintOf(order),
        summary: describeOrder(order),
        symbol,
        account: order.account,
      };
    },
    run: (order, ticket) => deps.venue(order.venue).placeOrder(order, clientOrderId(order), () => ticket.pass()),
    canLookUp: true,
    lookUp: async (order, { confirming, ageMs, pass }) => {
      const venue = deps.venue(order.venue);
      const id = clientOrderId(order);
      const found = await findByClientId(venue, order, id, ageMs);
      if (found) return sighting(order, found);
      const evidence = `${order.venue} knows no order ${id}, neither by id nor among its orders and trades`;
      return confirming && canRest(order)
        ? fence(venue, order, id, { absent: evidence, pass })
        : { kind: 'absent', evidence };
    },
    keep: keptOrder,
    recall: (order, kept) => wholeOrder(() => deps.venue(order.venue), order.symbol, kept),
    onAbsent: (order) => (canRest(order) ? 'resend' : deps.onAbsent),
    decided: (order, resolution) => orderOf(deps, order, resolution, clientOrderId(order)),
    absence: (venue) => deps.absence(venue),
    sendWithinMs: (venue) => deps.times(venue).sendWithinMs,
    timeoutMs: (venue) => deps.times(venue).timeoutMs,
    whenStoreDown: 'refuse',
    probe: async (order) => {
      await deps.venue(order.venue).findOrder(order.symbol, { clientOrderId: clientOrderId(order) });
    },
    heldByBreaker: true,
    expiresAt: (order) => order.expiresAt,
    lifeMs: ({ venue, expiresAt }) => {
      const { nowMs, errorMs } = deps.venue(venue).clock();
      return expiresAt === undefined ? undefined : expiresAt - nowMs + errorMs;
    },
    venueNow: (venue) => deps.venue(venue).clock().nowMs,
    readyClock: (venue, { again }) => deps.readyClock(venue, again),
  };
}

/** Clocks of venue, Redis and worker may differ: what is listed begins this long before the intent was first seen. */
const LISTING_MARGIN_MS = 3_600_000;

/** By id first; then the lists, since a venue's parts do not all learn of an order at the same moment. */
async function findByClientId(
  venue: VenuePort,
  order: PlaceOrderInput,
  id: string,
  ageMs: number,
): Promise<VenueOrder | undefined> {
  const byId = await venue.findOrder(order.symbol, { clientOrderId: id });
  if (byId) return byId;
  const since = Math.round(venue.clock().nowMs - ageMs - LISTING_MARGIN_MS);
  const orders = await venue.listOrders(order.symbol, since);
  const listed = orders.findLast((each) => each.clientOrderId === id);
  // The list tells no fills.
  if (listed) {
    const whole = await venue.findOrder(order.symbol, { orderId: listed.orderId });
    if (!whole)
      throw new InconclusiveLookError(`${order.venue} lists order ${listed.orderId} but does not tell its fills yet`);
    return whole;
  }
  // A trade may show before its order does.
  const known = new Set(orders.map(({ orderId }) => orderId));
  const trades = await venue.listTrades(order.symbol, since);
  for (const orderId of new Set(trades.map((trade) => trade.orderId).filter((each) => !known.has(each)))) {
    const traded = await venue.findOrder(order.symbol, { orderId });
    if (!traded) throw new InconclusiveLookError(`${order.venue} shows trades of order ${orderId} but not the order`);
    if (traded.clientOrderId === id) return traded;
  }
  return undefined;
}

/** An order under our id is ours only if it is the order that we meant. */
function sighting(order: PlaceOrderInput, found: VenueOrder): Sighting<OrderState> {
  const same =
    found.side === order.side &&
    found.symbol === order.symbol &&
    (order.quantity === undefined || compareDecimals(found.quantity, order.quantity) === 0) &&
    (order.price === undefined || compareDecimals(found.price, order.price) === 0);
  if (same && found.status === 'REJECTED') {
    const message = `${order.venue} rejected order ${found.orderId}`;
    return { kind: 'refused', refusal: { category: 'MARKET_REJECT', message } };
  }
  if (same) return { kind: 'found', result: orderStateOf(found) };
  return {
    kind: 'contradiction',
    evidence:
      `${order.venue} holds order ${found.orderId} under our id ${found.clientOrderId}, but it is ` +
      `${found.side} ${found.quantity} ${found.symbol} @ ${found.price}`,
  };
}

/**
 * A cancel is answered by the matching engine itself, which is fresher than any query: "unknown order" there means that
 * nothing of this id rests. Should it find the order after all, the order was placed and is now cancelled: that is how it
 * ended, and it is not sent again.
 */
async function fence(
  venue: VenuePort,
  order: PlaceOrderInput,
  id: string,
  { absent, pass }: { absent: string; pass: () => void },
): Promise<Sighting<OrderState>> {
  try {
    const cancelled = await venue.cancelOrder(order.symbol, { clientOrderId: id }, pass);
    const found = await venue.findOrder(order.symbol, { clientOrderId: id });
    return { kind: 'found', result: found ? orderStateOf(found) : cancelled };
  } catch (error) {
    if (isVenueError(error) && error.verdict.category === 'GONE') {
      return { kind: 'absent', evidence: `${absent}; its matching engine knows none to cancel` };
    }
    throw error;
  }
}
