import type { Resolution } from '../src/domain/job-plan';
import type { OrderState } from '../src/domain/order';
import { InvalidInputError } from '../src/domain/order.schema';
import { orderStateOf } from '../src/venues/port';
import type { EffectDeps } from './effect-deps';

/**
 * The order that a person says is the intent's, as the venue tells it, so that the job's result is the venue's and not
 * somebody's memory. `ours` is the client order id that it must have, where the intent has one.
 */
export async function orderOf(
  deps: EffectDeps,
  { venue, symbol }: { venue: string; symbol: string },
  { orderId }: Resolution,
  ours: string | undefined,
): Promise<OrderState> {
  const refused = (problem: string): InvalidInputError => new InvalidInputError('resolve', [`orderId: ${problem}`]);
  if (orderId === undefined) throw refused('missing, decision "done" needs it');
  await deps.readyClock(venue, false);
  const found = await deps.venue(venue).findOrder(symbol, { orderId });
  if (!found) throw refused(`${venue} knows no order ${orderId} of ${symbol}`);
  if (ours !== undefined && found.clientOrderId !== ours)
    throw refused(`order ${orderId} has client order id ${found.clientOrderId}, the intent's is ${ours}`);
  return orderStateOf(found);
}
