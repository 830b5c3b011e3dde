import { ApplicationFailure } from '@temporalio/common';
import type { LookUpAnswer, LookUpInput, Resolution } from '../src/domain/job-plan';
import type { OrderState } from '../src/domain/order';
import { parseJobInput } from '../src/domain/order.schema';
import { serialiseResult } from '../src/guard/serialise';
import type { Runtime } from '../src/interceptors/runtime';
import { orderStateOf, type VenuePort } from '../src/venues/port';

/**
 * Writes a person's decision into the record, with its audit row. A decision "done" with an order id takes the order from
 * the venue, so that the job's result is the venue's and not somebody's memory.
 */
export function resolveIntentActivity(runtime: Runtime, venue: (name: string) => VenuePort) {
  return async (request: LookUpInput, resolution: Resolution): Promise<LookUpAnswer> => {
    const input = parseJobInput(request.jobType, request.input);
    const ref = { venue: input.venue, jobType: request.jobType, intentId: input.intentId };
    const { decision, actor, reason, orderId } = resolution;
    const message = `${actor} decided that it was refused: ${reason}`;
    let order: OrderState | undefined;
    if (decision === 'done') {
      await runtime.effects[request.jobType].readyClock(input, { again: false });
      order = await theOrder(venue(input.venue), input.symbol, orderId);
      const ours = runtime.effects[request.jobType].clientOrderId(input);
      if (ours !== undefined && order.clientOrderId !== ours) {
        const other = `orderId: order ${order.orderId} has client order id ${order.clientOrderId}, the intent's is ${ours}`;
        throw ApplicationFailure.nonRetryable(other, 'INVALID');
      }
    }
    const payload =
      order !== undefined
        ? serialiseResult(order)
        : JSON.stringify({ category: 'RESOLVED_REJECTED', message, why: reason });
    const outcome = await runtime.guard.resolve(ref, { decision, payload, actor, reason });
    if (outcome.kind === 'EARLY') {
      const seconds = Math.ceil(outcome.waitMs / 1_000);
      const early = `decision: too early for "absent": its last request may still take effect for ${seconds} s`;
      throw ApplicationFailure.nonRetryable(early, 'INVALID');
    }
    if (outcome.kind === 'REFUSED') {
      runtime.log.warn(
        { ...ref, state: outcome.state },
        'a decision came after the record had been resolved otherwise',
      );
      return { outcome: 'manual', evidence: `the record is ${outcome.state}, no longer MANUAL` };
    }
    runtime.recorder.sideEffect(request.jobType, 'resolved');
    if (order) {
      const attempts = Math.max(outcome.attempts, 1);
      return { outcome: 'done', result: { intentId: ref.intentId, status: 'done', order, replayed: false, attempts } };
    }
    if (decision === 'absent') return { outcome: 'absent' };
    return { outcome: 'rejected', category: 'RESOLVED_REJECTED', message };
  };
}

async function theOrder(venue: VenuePort, symbol: string, orderId: string | undefined): Promise<OrderState> {
  if (orderId === undefined)
    throw ApplicationFailure.nonRetryable('orderId: missing, decision "done" needs it', 'INVALID');
  const found = await venue.findOrder(symbol, { orderId });
  if (!found) {
    throw ApplicationFailure.nonRetryable(`orderId: ${venue.name} knows no order ${orderId} of ${symbol}`, 'INVALID');
  }
  return orderStateOf(found);
}
