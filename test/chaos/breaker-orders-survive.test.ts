import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { firstBrokenRow, type AuditRow } from '../../src/breaker/control/audit';
import type { ControlSnapshot } from '../../src/breaker/control/page';
import type { OverrideRequest } from '../../src/breaker/control/request';
import { parseScope } from '../../src/breaker/scope';
import type { SubmittedJob } from '../../src/client/client';
import { openGuard, type OpenGuard } from '../../src/client/open-guard';
import { effectQueue } from '../../src/domain/job-types';
import type { PlaceOrderInput } from '../../src/domain/order';
import { guardKeys } from '../../src/guard/keys';
import { testStack, type TestStack } from '../support/stack';

jest.setTimeout(180_000);

const QUEUE = effectQueue('order.place', 'paper');
const ACTIVITY = 2;

describe('a kill of a venue, and a breaker beneath it that is forced open', () => {
  let stack: TestStack;
  let store: OpenGuard;
  let redis: Redis;
  let given: AuditRow[];
  let placed: number;
  const held: SubmittedJob[] = [];

  beforeAll(async () => {
    stack = await testStack({ configFile: 'test/support/config/quick.yaml' });
    store = await openGuard(stack.config);
    redis = new Redis(stack.stack.info.redis ?? '').on('error', () => undefined);
    await (await submit({ intentId: 'resting', price: '0.0004', quantity: '60' })).outcome();
    await order('paper', { action: 'kill' });
    await order('paper/order.place', { action: 'open', forSeconds: 3_600 });
    await order('paper/account/main', { action: 'kill' });
    given = await audit();
    placed = await placements();
  });
  afterAll(async () => {
    redis?.disconnect();
    store?.close();
    await stack?.end();
  });

  function submit(over: Partial<PlaceOrderInput> & { intentId: string }): Promise<SubmittedJob> {
    const usual = { venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141' };
    return stack.client.submit('order.place', { ...usual, ...over });
  }
  const order = (scope: string, over: Partial<OverrideRequest>): Promise<ControlSnapshot> =>
    stack.client.breaker(scope).override({ action: 'kill', reason: 'a drill', actor: 'ann', ...over });
  const stateOf = (scope: string) => stack.client.breaker(scope).state();
  const overrideOf = async (scope: string) => {
    const { venue, level } = parseScope(scope);
    return (await store.guard.breakers.read(venue, [level])).find((each) => each.level === level)!.override;
  };
  /** Every row that the venue's stream holds, whatever the scope. */
  const audit = async (): Promise<AuditRow[]> => {
    const entries = await redis.xrange(guardKeys('idempotency').audit('paper'), '-', '+');
    return entries.map(([, fields]) => JSON.parse(fields[fields.indexOf('row') + 1] ?? '') as AuditRow);
  };
  const byHash = (rows: AuditRow[]): string[] => rows.map(({ hash }) => hash).sort();
  async function placements(): Promise<number> {
    const { requests } = (await stack.truth()) as unknown as { requests: { method: string; path: string }[] };
    return requests.filter(({ method, path }) => method === 'POST' && path === '/api/v3/order').length;
  }
  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (;;) {
      // Whatever was killed may not answer yet.
      if (await holds().catch(() => false)) return;
      await sleep(50);
    }
  }
  /** Kills a service and waits until another process does its work. */
  async function kill(name: 'worker' | 'redis' | 'temporal', whileDown?: () => Promise<unknown>): Promise<void> {
    const pid = stack.stack.pid(name) ?? 0;
    process.kill(pid, 'SIGKILL');
    await whileDown?.();
    await until(() => Promise.resolve(![undefined, pid].includes(stack.stack.pid(name))));
    await until(async () => (await fetch(`${stack.stack.info.metrics}/readyz`)).ok);
  }

  /** Both are in force everywhere, nothing is placed, a cancel passes, and the audit is as it was. */
  async function stillHolds(what: string): Promise<void> {
    await until(
      async () => (await overrideOf('paper')).kill && (await overrideOf('paper/order.place')).force === 'open',
    );
    await until(async () => (await stateOf('paper'))?.inEffect === true);
    expect(await stateOf('paper')).toMatchObject({ standing: 'KILLED', kill: { actor: 'ann' } });
    expect(await stateOf('paper/order.place')).toMatchObject({ standing: 'FORCED_OPEN', force: { reason: 'a drill' } });
    held.push(await submit({ intentId: `held-${what}` }));
    const cancel = { intentId: `cancel-${what}`, venue: 'paper', symbol: 'XRPETH', orderIntentId: 'resting' };
    expect(await (await stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({ status: 'done' });
    expect(await placements()).toBe(placed);
    const rows = (await audit()).filter(({ scope }) => scope !== 'paper/account/main');
    expect(byHash(rows)).toEqual(byHash(given.filter(({ scope }) => scope !== 'paper/account/main')));
  }

  test('survive a worker that is killed', async () => {
    await kill('worker');
    await stillHolds('worker');
  });

  test('survive a Redis that is killed', async () => {
    await kill('redis');
    await stillHolds('redis');
  });

  test('survive a Temporal that is killed', async () => {
    await kill('temporal');
    await stillHolds('temporal');
  });

  test('survive a Redis that is emptied beneath a worker, with their audit', async () => {
    await redis.flushall();
    await stillHolds('emptied');
  });

  test('survive a Redis that is emptied while no worker is there to see it', async () => {
    await kill('worker', () => redis.flushall());
    await stillHolds('emptied-unseen');
  });

  test('survive the end of their workflows: the next ones take over from Redis, with the numbers going on', async () => {
    for (const scope of ['paper', 'paper/order.place']) {
      const handle = stack.client.temporal.workflow.getHandle(`breaker:${scope}`);
      await handle.terminate('a drill');
      await until(async () => (await handle.describe()).status.name === 'TERMINATED');
    }
    const taken = await order('paper', { reason: 'once more' });
    expect(taken).toMatchObject({ standing: 'KILLED', number: 2, inEffect: true });
    given = await audit();
    // Another worker finds the second one.
    await kill('worker');
    await stillHolds('terminated');
    const rows = (await audit()).filter(({ scope }) => scope === 'paper');
    expect(firstBrokenRow(rows, (await stack.client.breaker('paper').history())!)).toBeUndefined();
    // What was taken over is as safe as what was ordered here.
    await redis.flushall();
    await stillHolds('terminated-and-emptied');
  });

  test('end with their order and not before: then all jobs that waited are done, none twice', async () => {
    await order('paper', { action: 'unkill' });
    await order('paper/order.place', { action: 'auto' });
    const outcomes = await Promise.all(held.map((job) => job.outcome()));
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
    expect(await placements()).toBe(placed + held.length);
    expect((await stack.truth()).totals.duplicates).toBe(0);
  });

  test('of an account, which no worker watches, are back before anything leaves for it', async () => {
    await redis.flushall();
    expect(await overrideOf('paper/account/main')).toMatchObject({ kill: false });
    placed = await placements();
    const job = await submit({ intentId: 'of-main', account: 'main' });
    await until(async () => (await overrideOf('paper/account/main')).kill);
    await until(async () => {
      const { raw } = await stack.client.temporal.workflow.getHandle(job.workflowId).describe();
      return raw.pendingActivities?.[0]?.lastFailure?.applicationFailureInfo?.type === 'BREAKER_OPEN';
    });
    expect(await placements()).toBe(placed);
    await order('paper/account/main', { action: 'unkill' });
    expect(await job.outcome({ timeoutMs: 120_000 })).toMatchObject({ status: 'done' });
  });

  describe('that are given while Redis does not answer', () => {
    const redisProcess = (signal: 'SIGSTOP' | 'SIGCONT') => process.kill(stack.stack.pid('redis')!, signal);
    afterEach(async () => {
      redisProcess('SIGCONT');
      await order('paper', { action: 'unkill' });
    });

    test('are in force as soon as it does', async () => {
      redisProcess('SIGSTOP');
      const ordering = order('paper', { reason: 'in the dark' });
      const isWaiting = ({ events }: ControlSnapshot) => events.some(({ what }) => what.startsWith('not in Redis yet'));
      await until(async () => isWaiting((await stateOf('paper'))!));
      expect(await stateOf('paper')).toMatchObject({
        ...{ standing: 'KILLED', inEffect: false, kill: { reason: 'in the dark' } },
      });
      redisProcess('SIGCONT');
      expect(await ordering).toMatchObject({ standing: 'KILLED', inEffect: true });
      expect(await overrideOf('paper')).toMatchObject({ kill: true, killReason: 'in the dark' });
    });

    test('are told not to be in force where that lasts, and are kept all the same', async () => {
      redisProcess('SIGSTOP');
      await expect(order('paper', { reason: 'in the dark for long' })).rejects.toThrow(
        /^kill of paper: taken and kept, but not in effect yet; .*not in Redis yet/,
      );
      redisProcess('SIGCONT');
      await until(async () => (await stateOf('paper'))?.inEffect === true);
      expect(await overrideOf('paper')).toMatchObject({ kill: true, killReason: 'in the dark for long' });
    });
  });

  describe("Temporal's own limit of a queue", () => {
    const service = () => stack.client.temporal.connection.workflowService;
    const about = { namespace: 'default', taskQueue: QUEUE, taskQueueType: ACTIVITY };
    async function limitOf(): Promise<{ perSecond: number; reason: string } | undefined> {
      const { config } = await service().describeTaskQueue({
        ...{ namespace: 'default', taskQueue: { name: QUEUE }, taskQueueType: ACTIVITY, reportConfig: true },
      });
      const { rateLimit, metadata } = config?.queueRateLimit ?? {};
      return rateLimit ? { perSecond: rateLimit.requestsPerSecond ?? 0, reason: metadata?.reason ?? '' } : undefined;
    }
    async function setLimit(requestsPerSecond: number | undefined, reason: string): Promise<void> {
      const rateLimit = requestsPerSecond === undefined ? {} : { rateLimit: { requestsPerSecond } };
      await service().updateTaskQueueConfig({ ...about, updateQueueRateLimit: { ...rateLimit, reason } });
    }

    test('is set by a kill with its reason, however long that is, and taken away with the kill', async () => {
      const { note } = await order('paper', { reason: 'x'.repeat(500) });
      expect(note).toBe(`Temporal holds ${QUEUE}`);
      expect(await limitOf()).toEqual({ perSecond: 0, reason: `fillsafe kill: ann: ${'x'.repeat(500)}` });
      // One kill of two that ends leaves the other's.
      await order('all', { reason: 'the other' });
      await order('paper', { action: 'unkill' });
      expect(await limitOf()).toMatchObject({ perSecond: 0 });
      await order('all', { action: 'unkill' });
      expect(await limitOf()).toBeUndefined();
    });

    test('that a kill left behind is taken away by the next worker that starts', async () => {
      await setLimit(0, 'fillsafe kill: ann: nobody was there to lift it');
      await kill('worker');
      await until(async () => (await limitOf()) === undefined);
      expect(await (await submit({ intentId: 'after-the-frost' })).outcome()).toMatchObject({ status: 'done' });
    });

    test('that a kill needs and somebody took away is set again by the next worker that starts', async () => {
      await order('paper', { reason: 'a drill' });
      await setLimit(undefined, 'by mistake');
      await kill('worker');
      await until(async () => (await limitOf())?.perSecond === 0);
      await order('paper', { action: 'unkill' });
    });

    test('that a person set stays as it is, over a kill and the start of a worker; the kill says so and holds by itself', async () => {
      await setLimit(7, 'the venue asked for less');
      const { note } = await order('paper', { reason: 'a drill' });
      expect(note).toContain(`Temporal does not hold ${QUEUE} beside the breaker: somebody set a limit of its own`);
      await kill('worker');
      await order('paper', { action: 'unkill' });
      expect(await limitOf()).toEqual({ perSecond: 7, reason: 'the venue asked for less' });
      await setLimit(undefined, 'over');
    });
  });
});
