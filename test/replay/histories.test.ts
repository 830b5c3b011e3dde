import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ControlSnapshot } from '../../src/breaker/control/page';
import type { OverrideRequest } from '../../src/breaker/control/request';
import type { PlaceOrderInput } from '../../src/domain/order';
import { createVenues } from '../../src/venues/create-venues';
import type { VenuePort } from '../../src/venues/port';
import { startHastyTemporal } from '../support/hasty-temporal';
import { replayRun } from '../support/histories';
import { tradingDesk } from '../support/trading-desk';

Runtime.install({ logger: new DefaultLogger('ERROR') });
jest.setTimeout(120_000);

let temporal: Awaited<ReturnType<typeof startHastyTemporal>> | undefined;
const desk = tradingDesk({
  prepare: async () => {
    temporal = await startHastyTemporal();
    return { TEMPORAL_ADDRESS: temporal.address };
  },
});
afterAll(() => temporal?.stop());

const { anOrder, clientOrderId, faultOn, outcomeOf, startRaw, untilParked } = desk;
const workflowOf = (id: string) => desk.stack.client.temporal.workflow.getHandle(id);
const replay = (workflowId: string, name: string, runId?: string): Promise<void> =>
  replayRun(desk.stack.client.temporal, { workflowId, runId }, name);

describe('the history of an order replays', () => {
  test.each<[string, object | undefined, string]>([
    ['that went well', undefined, 'order-went-well'],
    ['whose answer was lost', { kind: 'drop_after' }, 'order-answer-lost'],
    ['that was sent again', { kind: 'drop_before' }, 'order-sent-again'],
    ['that the venue put off', { kind: 'rate_limit', retryAfterSeconds: 1 }, 'order-put-off'],
  ])('%s', async (_what, fault, name) => {
    const order = anOrder();
    if (fault) await faultOn(order, fault);
    expect(await outcomeOf(order)).toMatchObject({ status: 'done' });
    await replay(`order:${order.intentId}`, name);
  });

  test('that was started by hand, without memo and search attributes', async () => {
    const order = anOrder();
    await startRaw(`order:${order.intentId}`, order);
    await replay(`order:${order.intentId}`, 'order-by-hand');
  });

  test('that ended in a conflict', async () => {
    const order = anOrder();
    await outcomeOf(order);
    await startRaw(`again:${order.intentId}`, { ...order, quantity: '24' });
    await replay(`again:${order.intentId}`, 'order-conflict');
  });

  test('that expired in its queue', async () => {
    const breaker = desk.stack.client.breaker('paper/order.place');
    const about = { reason: 'a drill', actor: 'ann' };
    await breaker.override({ action: 'open', forSeconds: 600, ...about });
    // More than a worker has polls out: none takes the last one.
    const orders = Array.from({ length: 15 }, () => anOrder({ expiresAt: Date.now() + 3_000 }));
    const jobs = [];
    for (const order of orders) jobs.push(await desk.stack.client.submit('order.place', order));
    for (const job of jobs) expect(await job.outcome()).toMatchObject({ category: 'EXPIRED' });
    await breaker.override({ action: 'auto', ...about });
    const names = ['order-expired', 'order-expired-held'];
    for (const job of [jobs.at(-1)!, jobs[0]!]) await replay(job.workflowId, names.shift()!);
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
    await replay(`order:${order.intentId}`, 'order-decided');
  });
});

describe('the history of a breaker replays', () => {
  const control = (scope: string) => desk.stack.client.breaker(scope);
  const order = (scope: string, over: Partial<OverrideRequest>): Promise<ControlSnapshot> =>
    control(scope).override({ action: 'kill', reason: 'a drill', actor: 'ann', ...over });
  async function until(scope: string, holds: (state: ControlSnapshot) => boolean): Promise<void> {
    for (;;) {
      const state = await control(scope).state();
      if (state && holds(state)) return;
      await sleep(50);
    }
  }
  const hasHappened = (what: string) => (state: ControlSnapshot) =>
    state.events.some((each) => each.what.startsWith(what));

  test('with orders by update and signal, refusals, turns and a loss of Redis', async () => {
    const scope = 'paper/account/orders';
    await order(scope, { action: 'open', forSeconds: 600 });
    const handle = workflowOf(`breaker:${scope}`);
    const { runId: firstRun } = await handle.describe();
    await handle.signal('override', { action: 'kill', reason: 'by signal', actor: 'bob', ticket: 'OPS-1' });
    await until(scope, ({ inEffect, number }) => inEffect && number === 2);
    await handle.signal('override', { action: 'shut' });
    await expect(handle.executeUpdate('override', { args: [{ action: 'shut' }] })).rejects.toThrow();
    // Another worker told sooner of what came later.
    await control(scope).turned({ from: 'OPEN', to: 'HALF_OPEN', why: 'its time was over', at: Date.now() });
    await control(scope).turned({ from: 'CLOSED', to: 'OPEN', why: 'all failed', at: Date.now() - 9_000 });
    await control(scope).lost([]);
    await until(scope, ({ inEffect, automatic, refused }) => inEffect && automatic !== null && refused !== null);
    await replay(handle.workflowId, 'breaker-orders', firstRun);
  });

  test('that was forced until its time was over', async () => {
    const scope = 'paper/account/expiry';
    await order(scope, { action: 'close', forSeconds: 1 });
    await until(scope, hasHappened('what ann ordered (close) has ended'));
    await replay(`breaker:${scope}`, 'breaker-expired');
  });

  test('that continued as new with orders in force, in either run', async () => {
    const scope = 'paper/account/runs';
    await order(scope, { action: 'open', forSeconds: 600 });
    const handle = workflowOf(`breaker:${scope}`);
    const firstRun = (await handle.describe()).runId;
    while ((await handle.describe()).runId === firstRun) await order(scope, { action: 'kill' });
    await order(scope, { action: 'unkill' });
    expect(await control(scope).state()).toMatchObject({ standing: 'FORCED_OPEN', inEffect: true });
    await replay(handle.workflowId, 'breaker-continues', firstRun);
    await replay(handle.workflowId, 'breaker-continued');
  });

  test('that took over from Redis what the one before it had ordered', async () => {
    const scope = 'paper/account/heir';
    await order(scope, { action: 'open', forSeconds: 600 });
    await order(scope, { action: 'kill' });
    await workflowOf(`breaker:${scope}`).terminate('a drill');
    expect(await order(scope, { action: 'unkill' })).toMatchObject({ standing: 'FORCED_OPEN', number: 3 });
    await replay(`breaker:${scope}`, 'breaker-heir');
  });

  test('that was told of a kill which a worker alone remembers', async () => {
    const scope = 'paper/account/remembered';
    await control(scope).lost([], { number: 9, kill: true, killedBy: 'ann', killReason: 'a drill' });
    await until(scope, ({ inEffect, standing }) => inEffect && standing === 'KILLED');
    expect(await order(scope, { action: 'unkill' })).toMatchObject({ standing: 'AUTOMATIC', number: 11 });
    await replay(`breaker:${scope}`, 'breaker-remembered');
  });

  test('whose order waited for Redis', async () => {
    const scope = 'paper/account/waits';
    await order(scope, { action: 'open', forSeconds: 600 });
    const redis = desk.stack.stack.pid('redis')!;
    process.kill(redis, 'SIGSTOP');
    try {
      await workflowOf(`breaker:${scope}`).signal('override', { action: 'kill', reason: 'in the dark', actor: 'ann' });
      await until(scope, hasHappened('not in Redis yet'));
    } finally {
      process.kill(redis, 'SIGCONT');
    }
    await until(scope, ({ inEffect, standing }) => inEffect && standing === 'KILLED');
    await replay(`breaker:${scope}`, 'breaker-waited');
  });

  test('of a venue that there is not', async () => {
    const start = { workflowId: 'breaker:papr', taskQueue: 'fillsafe' };
    const signal = { signal: 'override', signalArgs: [{ action: 'kill', reason: 'misspelt', actor: 'ann' }] };
    const handle = await desk.stack.client.temporal.workflow.signalWithStart('breakerControl', { ...start, ...signal });
    await expect(handle.result()).rejects.toThrow();
    await replay('breaker:papr', 'breaker-impossible');
  });
});
