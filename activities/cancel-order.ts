import { clientOrderIdOf } from '../src/domain/client-order-id';
import { fingerprintOf } from '../src/domain/fingerprint';
import { describeCancel, type CancelOrderInput, type OrderState } from '../src/domain/order';
import { parseCancelOrder } from '../src/domain/order.schema';
import type { Effect } from '../src/guard/effect';
import { isVenueError, orderStateOf, type OrderRef, type VenueOrder } from '../src/venues/port';
import type { EffectDeps } from './effect-deps';
import { keptOrder, wholeOrder } from './kept-order';
import { orderOf } from './order-of';

/** Statuses in which an order can still trade. */
const OPEN = new Set(['NEW', 'PENDING_NEW', 'PARTIALLY_FILLED', 'PENDING_CANCEL']);

/**
 * Cancels one order and answers with its final state, also when it had filled. Cancelling twice does no harm, so a lost
 * answer needs no waiting out, and neither a breaker nor a Redis that is away holds it up.
 */
export function cancelOrderEffect(deps: EffectDeps): Effect<CancelOrderInput, OrderState> {
  const refOf = (cancel: CancelOrderInput): OrderRef => {
    if (cancel.orderId !== undefined) return { orderId: cancel.orderId };
    if (cancel.clientOrderId !== undefined) return { clientOrderId: cancel.clientOrderId };
    const { venue, account, orderIntentId = '' } = cancel;
    return { clientOrderId: clientOrderIdOf({ namespace: deps.namespace, venue, account, intentId: orderIntentId }) };
  };
  const find = (cancel: CancelOrderInput): Promise<VenueOrder | undefined> =>
    deps.venue(cancel.venue).findOrder(cancel.symbol, refOf(cancel));

  return {
    jobType: 'order.cancel',
    activity: 'cancelOrder',
    venues: deps.venues,
    resultName: 'order',
    read: (given) => {
      const cancel = parseCancelOrder(given);
      deps.checkVenue(cancel.venue);
      const { venue, intentId, symbol } = cancel;
      const ref = { venue, jobType: 'order.cancel', intentId };
      const summary = describeCancel(cancel);
      return {
        ref,
        input: cancel,
        given: cancel,
        fingerprint: fingerprintOf(cancel),
        summary,
        symbol,
        account: cancel.account,
      };
    },
    run: async (cancel, ticket) => {
      const venue = deps.venue(cancel.venue);
      try {
        const cancelled = await venue.cancelOrder(cancel.symbol, refOf(cancel), () => ticket.pass());
        // The answer to a cancel holds no fills; what had filled before belongs to the final state.
        return finalState(await find(cancel).catch(() => undefined)) ?? cancelled;
      } catch (error) {
        if (!isVenueError(error) || error.verdict.category !== 'GONE') throw error;
        // Not open: it ended otherwise, or the venue does not show it yet. What is not seen to have ended is a doubt.
        const final = finalState(await find(cancel));
        if (!final) throw error;
        return final;
      }
    },
    canLookUp: true,
    lookUp: async (cancel, { confirming }) => {
      const found = await find(cancel);
      const final = finalState(found);
      if (final) return { kind: 'found', result: final };
      if (found) return { kind: 'repeatable', evidence: `order ${found.orderId} is still ${found.status}` };
      const message = `${cancel.venue} knows no such order`;
      return confirming
        ? { kind: 'refused', refusal: { category: 'GONE', message } }
        : { kind: 'absent', evidence: message };
    },
    keep: keptOrder,
    recall: (cancel, kept) => wholeOrder(() => deps.venue(cancel.venue), cancel.symbol, kept),
    onAbsent: () => 'resend',
    decided: (cancel, resolution) => {
      const ref = refOf(cancel);
      return orderOf(deps, cancel, resolution, 'clientOrderId' in ref ? ref.clientOrderId : undefined);
    },
    absence: (venue) => deps.absence(venue),
    sendWithinMs: (venue) => deps.times(venue).sendWithinMs,
    timeoutMs: (venue) => deps.times(venue).timeoutMs,
    whenStoreDown: 'proceed',
    heldByBreaker: false,
    expiresAt: () => undefined,
    lifeMs: () => undefined,
    venueNow: (venue) => deps.venue(venue).clock().nowMs,
    readyClock: (venue, { again }) => deps.readyClock(venue, again),
  };
}

function finalState(found: VenueOrder | undefined): OrderState | undefined {
  if (!found || OPEN.has(found.status)) return undefined;
  return orderStateOf(found);
}
