import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { openGuard, type OpenGuard } from '../../src/client/open-guard';
import type { SweepReport } from '../../src/domain/sweep';
import { guardKeys, inflightMember } from '../../src/guard/keys';
import { rewrite, shiftRecord } from '../model/shift-time';
import { admitRequest } from '../support/guard-requests';
import { tradingDesk } from '../support/trading-desk';

const desk = tradingDesk();
const { anOrder, clientOrderId, faultOn, truthOf, startRaw } = desk;
let store: OpenGuard;
beforeAll(async () => {
  store = await openGuard(desk.stack.config);
});
afterAll(() => store.close());

/** Lets the schedule of the sweep run once, now, and answers what it reports. */
async function sweepNow(): Promise<SweepReport> {
  const { temporal } = desk.stack.client;
  const schedule = temporal.schedule.getHandle('sweep:paper');
  const runs = async (): Promise<string[]> =>
    (await schedule.describe()).info.recentActions.map(({ action }) => action.workflow.workflowId);
  const reportOf = (run: string): Promise<SweepReport> => temporal.workflow.getHandle(run).result();
  const before = new Set(await runs());
  // A run is named by the second of its start: one that is asked for in the same second as the last is none.
  const last = (await schedule.describe()).info.recentActions.at(-1)?.takenAt.getTime() ?? 0;
  while (Math.floor(Date.now() / 1_000) <= Math.floor(last / 1_000)) await sleep(50);
  for (let polls = 0; ; polls += 1) {
    if (polls % 400 === 0) await schedule.trigger();
    const run = (await runs()).find((id) => !before.has(id));
    if (run === undefined) {
      await sleep(50);
      continue;
    }
    return reportOf(run);
  }
}

async function isOverdue(intentId: string): Promise<void> {
  const ref = { venue: 'paper', jobType: 'order.place', intentId };
  for (;;) {
    const record = await store.guard.record(ref);
    if (record && record.quiesceAt < (await store.guard.now()) && record.leaseUntil < (await store.guard.now())) return;
    await sleep(100);
  }
}

describe('the sweep', () => {
  test('finds out what became of an order whose workflow was terminated, without anybody asking', async () => {
    const order = anOrder();
    await faultOn(order, { kind: 'delay', ms: 5_000, phase: 'after' });
    const job = await desk.stack.client.submit('order.place', order);
    while ((await truthOf(order)).taken === 0) await sleep(20);
    process.kill(desk.stack.stack.pid('worker')!, 'SIGKILL');
    await desk.stack.client.temporal.workflow.getHandle(job.workflowId).terminate('by hand');
    await isOverdue(order.intentId);

    expect(await sweepNow()).toMatchObject({ orphans: 1, resolved: 1, forPerson: 0 });
    const record = await store.guard.record({ venue: 'paper', jobType: 'order.place', intentId: order.intentId });
    expect(record).toMatchObject({ state: 'DONE', payload: { clientOrderId: clientOrderId(order) } });
    const { result } = await startRaw(`again:${order.intentId}`, order);
    expect(result).toMatchObject({ status: 'done', order: { clientOrderId: clientOrderId(order) } });
    expect(await truthOf(order)).toMatchObject({ taken: 1 });
  });

  test('hands an act to a person when Temporal knows nothing of it any more', async () => {
    const ref = { venue: 'paper', jobType: 'order.place', intentId: anOrder().intentId };
    const owner = { activity: 'order:long-gone/00000000-0000-4000-8000-000000000000/1', attempt: 1, nonce: 'n' };
    const { breaker: _held, ...request } = admitRequest({ owner, leaseMs: 1, quiesceMs: 1 });
    await store.guard.admit(ref, request);
    await isOverdue(ref.intentId);

    expect(await sweepNow()).toMatchObject({ orphans: 0, forPerson: 1 });
    expect(await store.guard.record(ref)).toMatchObject({
      state: 'MANUAL',
      payload: { why: expect.stringContaining('its workflow is gone') },
    });
  });

  test('leaves an act alone whose workflow still looks after it', async () => {
    const order = anOrder();
    await faultOn(order, { kind: 'black_hole' });
    await desk.stack.client.submit('order.place', order);
    while ((await truthOf(order)).requests === 0) await sleep(20);
    // Long overdue by what Redis says: what keeps the sweep from it is its workflow alone.
    const keys = guardKeys(desk.stack.config.retry.redis.namespace);
    const ref = { venue: 'paper', jobType: 'order.place', intentId: order.intentId };
    await rewrite(store.redis as Redis, keys.record(ref), (raw) => shiftRecord(raw, 600_000));
    await store.redis.zadd(keys.inflight('paper'), 1, inflightMember(ref));
    expect(await sweepNow()).toMatchObject({ orphans: 0, forPerson: 0 });
    const { open } = await store.guard.sweep('paper', 0);
    expect(open.map((each) => each.ref)).toContainEqual(ref);
  });
});
