import { join } from 'node:path';
import { inspect } from 'node:util';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { PlaceOrderInput } from '../../src/domain/order';
import { packageRoot } from '../../src/package-root';
import { createVenues } from '../../src/venues/create-venues';
import type { VenuePort } from '../../src/venues/port';
import { tradingDesk } from '../support/trading-desk';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const desk = tradingDesk();
const { anOrder, clientOrderId, faultOn, outcomeOf, startRaw, untilParked } = desk;
const workflowBundle = { codePath: join(packageRoot, 'dist', 'workflow-bundle.js') };

/** Runs the recorded history again through the build's workflow code; rejects where the code would do otherwise. */
async function replay(workflowId: string): Promise<void> {
  const history = await desk.stack.client.temporal.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
}

describe('the history of an order replays', () => {
  test.each<[string, object | undefined]>([
    ['that went well', undefined],
    ['whose answer was lost', { kind: 'drop_after' }],
    ['that was sent again', { kind: 'drop_before' }],
    ['that the venue put off', { kind: 'rate_limit', retryAfterSeconds: 1 }],
  ])('%s', async (_what, fault) => {
    const order = anOrder();
    if (fault) await faultOn(order, fault);
    expect(await outcomeOf(order)).toMatchObject({ status: 'done' });
    await replay(`order:${order.intentId}`);
  });

  test('that was started by hand, without memo and search attributes', async () => {
    const order = anOrder();
    await startRaw(`order:${order.intentId}`, order);
    await replay(`order:${order.intentId}`);
  });

  test('that ended in a conflict', async () => {
    const order = anOrder();
    await outcomeOf(order);
    await startRaw(`again:${order.intentId}`, { ...order, quantity: '24' });
    await replay(`again:${order.intentId}`);
  });

  test('that a person decided', async () => {
    const order: PlaceOrderInput = anOrder({ price: '0.0004', quantity: '30' });
    const venue = createVenues(desk.stack.config).get('paper') as VenuePort;
    await venue.syncClock();
    // Another order rests under the id that ours would have.
    await venue.placeOrder({ ...order, quantity: '40' }, clientOrderId(order), () => undefined);
    await desk.stack.client.submit('order.place', order);
    await untilParked(order);
    const resolution = { decision: 'rejected', reason: 'looked at the venue', actor: 'ann' } as const;
    // The venue contradicts: the decision is refused first, and its refusal is in the history as well.
    const refusal = await desk.stack.client
      .resolve('order.place', order.intentId, resolution)
      .catch((error: Error) => error);
    const confirm = /confirm "(\w+)"/.exec(inspect(refusal))?.[1] ?? '';
    expect(confirm).not.toBe('');
    await desk.stack.client.resolve('order.place', order.intentId, { ...resolution, confirm });
    expect(await outcomeOf(order)).toMatchObject({ category: 'RESOLVED_REJECTED' });
    await replay(`order:${order.intentId}`);
  });

  test('only on the code that made it', async () => {
    const order = anOrder();
    await outcomeOf(order);
    const workflowId = `order:${order.intentId}`;
    const history = await desk.stack.client.temporal.workflow.getHandle(workflowId).fetchHistory();
    const scheduled = history.events?.find(({ activityTaskScheduledEventAttributes: found }) => found);
    Object.assign(scheduled?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'anotherActivity' });
    await expect(Worker.runReplayHistory({ workflowBundle }, history, workflowId)).rejects.toThrow();
  });
});
