import { clientOrderIdOf } from '../src/domain/client-order-id';
import type { CancelOrderInput, OrderState } from '../src/domain/order';
import type { Effect } from '../src/guard/effect';
import { isVenueError, type OrderRef } from '../src/venues/port';
import { lookAt } from './look-at';
import type { EffectDeps } from './effect-deps';

/** Statuses in which an order can still trade. */
const OPEN = new Set(['NEW', 'PENDING_NEW', 'PARTIALLY_FILLED', 'PENDING_CANCEL']);

/**
 * Cancels one order and answers with its final state, also when it had filled. Cancelling twice does no harm, so a lost
 * answer needs one look and no waiting, and neither a breaker nor a Redis that is away holds it up.
 */
export function cancelOrderEffect(deps: EffectDeps): Effect<CancelOrderInput, OrderState> {
  const refOf = (cancel: CancelOrderInput): OrderRef => {
    if (cancel.orderId !== undefined) return { orderId: cancel.orderId };
    if (cancel.clientOrderId !== undefined) return { clientOrderId: cancel.clientOrderId };
    const { venue, account, orderIntentId = '' } = cancel;
    return { clientOrderId: clientOrderIdOf({ namespace: deps.namespace, venue, account, intentId: orderIntentId }) };
  };
  const finalState = async (cancel: CancelOrderInput): Promise<OrderState | undefined> => {
    const found = await deps.venue(cancel.venue).findOrder(cancel.symbol, refOf(cancel));
    if (!found || OPEN.has(found.status)) return undefined;
    const { orderId, clientOrderId, status, executedQuantity, averagePrice, fills } = found;
    return { orderId, clientOrderId, status, executedQuantity, averagePrice, fills };
  };

  return {
    jobType: 'order.cancel',
    run: async (cancel, ticket) => {
      const venue = deps.venue(cancel.venue);
      try {
        const cancelled = await venue.cancelOrder(cancel.symbol, refOf(cancel), () => ticket.pass());
        // The answer to a cancel holds no fills; what had filled before belongs to the final state.
        return (await finalState(cancel).catch(() => undefined)) ?? cancelled;
      } catch (error) {
        if (!isVenueError(error) || error.verdict.category !== 'GONE') throw error;
        const final = await finalState(cancel);
        if (!final) throw error;
        return final;
      }
    },
    lookUp: (cancel) =>
      lookAt(async () => {
        const final = await finalState(cancel);
        if (final) return { kind: 'found', result: final };
        return { kind: 'absent', evidence: `the order is not cancelled yet, or ${cancel.venue} knows none` };
      }),
    absence: () => ({ quiesceMs: 0, looks: 1, gapMs: 0 }),
    sendWithinMs: (cancel) => deps.times(cancel.venue).sendWithinMs,
    whenStoreDown: 'proceed',
    heldByBreaker: false,
    venueNow: (cancel) => deps.venue(cancel.venue).clock().nowMs,
    readyClock: (cancel, { again }) => deps.readyClock(cancel.venue, again),
  };
}
