import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { OverrideRequest } from '../../src/breaker/control/request';
import type { BreakerSnapshot } from '../../src/breaker/snapshot';
import type { JobOutcome, SubmittedJob } from '../../src/client/client';
import { openGuard, type OpenGuard } from '../../src/client/open-guard';
import { ordersOfTheDay } from '../../src/demo/trading-day';
import { startFleet, type Fleet } from '../support/fleet';
import { LONG } from '../support/long-runs';
import { submitAll } from '../support/submit-all';
import { testStack, type TestStack } from '../support/stack';

/** Twenty workers and one server need a machine of their own, as `npm run test:chaos` may have it. */
const [WORKERS, IN_FLIGHT] = LONG ? [20, 500] : [5, 100];
const SCOPE = 'paper/order.place';
const PLACEMENT = { method: 'POST', path: '/api/v3/order' };
/** As fleet.yaml says, and what the way to the venue and its clock may add on a busy machine. */
const SEND_WITHIN_MS = 1_000;
const ON_ITS_WAY_MS = 500;

describe(`a breaker and its orders over ${WORKERS} worker processes`, () => {
  let stack: TestStack;
  let fleet: Fleet;
  let store: OpenGuard;
  let count = 0;
  const printed: string[] = [];

  beforeAll(async () => {
    stack = await testStack({ worker: false, configFile: 'test/support/config/fleet.yaml' });
    fleet = await startFleet(stack, WORKERS);
    store = await openGuard(stack.config);
  }, 300_000);

  afterAll(async () => {
    process.stdout.write(`${printed.join('\n')}\n`);
    store?.close();
    await fleet?.stop();
    await stack?.end();
  }, 120_000);

  // What one test left behind must not hold the next.
  afterEach(async () => {
    await stack.clearFaults();
    for (const [scope, action] of [
      ['all', 'unkill'],
      ['paper', 'unkill'],
      ['paper', 'auto'],
      [SCOPE, 'auto'],
    ] as const)
      await order(scope, { action });
  }, 120_000);

  const day = ordersOfTheDay('paper').slice(0, 300);
  const submit = (many: number): Promise<SubmittedJob[]> =>
    submitAll(
      stack.client,
      Array.from({ length: many }, (_, i) => ({ ...day[i % day.length], intentId: `fleet-${++count}` })),
    );
  const outcomesOf = (jobs: SubmittedJob[]): Promise<JobOutcome[]> => Promise.all(jobs.map((job) => job.outcome()));
  const allDone = async (jobs: SubmittedJob[]): Promise<void> => {
    expect((await outcomesOf(jobs)).filter(({ status }) => status !== 'done')).toEqual([]);
    expect((await stack.truth()).totals.duplicates).toBe(0);
  };
  const breaker = async (level = 'order.place'): Promise<BreakerSnapshot> =>
    (await store.guard.breakers.read('paper', [level])).at(-1)!.breaker;
  const untilClosed = async (level: string): Promise<void> => {
    while ((await breaker(level)).state !== 'CLOSED') await allDone(await submit(5));
  };
  const until = async (isSo: (now: BreakerSnapshot) => boolean): Promise<BreakerSnapshot> => {
    for (;;) {
      const now = await breaker();
      if (isSo(now)) return now;
      await sleep(20);
    }
  };
  /** When each request to place an order reached the venue; its clock is this machine's. */
  const placements = async (): Promise<number[]> => {
    const { requests } = (await (await fetch(`${stack.stack.info.paper}/truth`)).json()) as {
      requests: { method: string; path: string; at: number }[];
    };
    return requests.filter(({ method, path }) => method === 'POST' && path === PLACEMENT.path).map(({ at }) => at);
  };
  const order = (scope: string, over: Partial<OverrideRequest>) =>
    stack.client.breaker(scope).override({ action: 'kill', reason: 'a drill', actor: 'ann', ...over });
  const fails = (fault: object = { kind: 'error_5xx_not_executed' }): Promise<void> =>
    stack.addFaults([{ ...fault, match: PLACEMENT }]);

  test('it opens for all of them at once, holds what comes, and lets all of it through when the venue is back', async () => {
    await fails();
    const first = await submit(60);
    const { since, openUntil } = await until(({ state }) => state === 'OPEN');
    const held = await submit(60);
    await stack.clearFaults();
    await until(({ state }) => state !== 'OPEN');
    const whileOpen = (await placements()).filter((at) => at > since && at < openUntil);
    const bound = Math.max(0, ...whileOpen.map((at) => at - since));
    printed.push(`from the trip to the last order that any of ${WORKERS} workers sent: ${bound} ms`);
    expect(bound).toBeLessThanOrEqual(SEND_WITHIN_MS + ON_ITS_WAY_MS);
    await allDone([...first, ...held]);
    await untilClosed('order.place');
  }, 180_000);

  test('orders that race are each taken once, and the last of them holds everywhere', async () => {
    const control = stack.client.breaker('paper');
    const before = (await control.history())?.number ?? 0;
    const actions = ['open', 'close', 'auto', 'kill', 'unkill'] as const;
    const racing = Array.from({ length: 20 }, (_, i) =>
      order('paper', { action: actions[i % actions.length]!, actor: `racer-${i}`, forSeconds: 300 }),
    );
    await Promise.all(racing);
    const { number, rows } = (await control.history())!;
    expect(number).toBe(before + 20);
    expect(new Set(rows.slice(-20).map(({ actor }) => actor)).size).toBe(20);
    const audit = await store.guard.breakers.audit('paper', 'paper');
    expect(audit).toEqual(rows);
    const state = (await control.state())!;
    const { override } = (await store.guard.breakers.read('paper', ['venue'])).at(-1)!;
    const FORCE = { open: 'open', close: 'closed' } as const;
    expect(override).toMatchObject({
      kill: state.kill !== null,
      force: state.force ? FORCE[state.force.action] : '',
    });
    await order('paper', { action: 'unkill' });
    await order('paper', { action: 'auto' });
    // What was forced open comes back by trying the venue.
    await allDone(await submit(40));
    await untilClosed('venue');
  }, 120_000);

  test(`after a kill is acknowledged with ${IN_FLIGHT} orders in flight nothing more leaves, until it is lifted`, async () => {
    await fails({ kind: 'delay', ms: 1_000, phase: 'before' });
    const sent = (await placements()).length;
    const submitting = submit(IN_FLIGHT);
    while ((await placements()).length < sent + IN_FLIGHT / 5) await sleep(20);
    const asked = Date.now();
    await order('all', { action: 'kill' });
    const acknowledged = Date.now();
    const jobs = await submitting;
    await stack.clearFaults();
    const [resting] = day;
    const cancel = { intentId: 'cancel-in-kill', venue: 'paper', symbol: resting?.['symbol'], orderId: '1' };
    // A cancel of an order that may be filled by now: what counts is that the venue is asked.
    const cancelled = await (await stack.client.submit('order.cancel', cancel)).outcome();
    expect(['done', 'refused']).toContain(cancelled.status);
    // Workers that start meanwhile know of it.
    const another = await startFleet(stack, 1);
    const last = Math.max(...(await placements()));
    printed.push(
      `from the order to kill to its acknowledgement: ${acknowledged - asked} ms; the last order had left ${acknowledged - last} ms before that`,
    );
    expect(last).toBeLessThanOrEqual(acknowledged);
    await order('all', { action: 'unkill', reason: 'the drill is over' });
    await allDone(jobs);
    await another.stop();
  }, 240_000);

  test('a forced open holds over a Redis that lost everything', async () => {
    await order(SCOPE, { action: 'open', forSeconds: 300 });
    const redis = new Redis(stack.stack.info.redis);
    const jobs = await submit(20);
    const before = (await placements()).length;
    await redis.flushall();
    redis.disconnect();
    const isBack = async (): Promise<boolean> =>
      (await store.guard.breakers.read('paper', ['order.place'])).at(-1)!.override.force === 'open';
    while (!(await isBack())) await sleep(20);
    expect(await store.guard.breakers.audit('paper', SCOPE)).not.toEqual([]);
    const more = await submit(20);
    await sleepUntilStill(placements);
    expect((await placements()).length).toBe(before);
    await order(SCOPE, { action: 'auto', reason: 'the drill is over' });
    await allDone([...jobs, ...more]);
    await untilClosed('order.place');
  }, 180_000);

  test('a worker that dies while it probes costs one probe, not the breaker', async () => {
    await fails();
    const failing = await submit(40);
    await until(({ state }) => state === 'OPEN');
    await stack.clearFaults();
    // Probes hang until their worker is killed.
    await fails({ kind: 'delay', ms: 15_000, phase: 'before' });
    const probing = await until(({ state, permits }) => state === 'HALF_OPEN' && permits > 0);
    const killed: number[] = [];
    for (const { workflowId } of failing) {
      const { raw } = await stack.client.temporal.workflow.getHandle(workflowId).describe();
      const acting = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'placeOrder');
      const pid = Number(/^\d+/.exec(acting?.lastWorkerIdentity ?? '')?.[0]);
      if (fleet.pids.includes(pid) && acting?.state === 2) {
        process.kill(pid, 'SIGKILL');
        killed.push(pid);
        break;
      }
    }
    expect(killed).toHaveLength(1);
    expect(probing.permits).toBeGreaterThan(0);
    await stack.clearFaults();
    await allDone(failing);
    await untilClosed('order.place');
  }, 240_000);

  test('a Temporal that is killed and comes back finds the kill in force', async () => {
    await order('paper', { action: 'kill' });
    const jobs = await submit(20);
    process.kill(stack.stack.pid('temporal')!, 'SIGKILL');
    const state = async () =>
      stack.client
        .breaker('paper')
        .state()
        .catch(() => undefined);
    while ((await state())?.standing !== 'KILLED') await sleep(200);
    const before = (await placements()).length;
    await sleepUntilStill(placements);
    expect((await placements()).length).toBe(before);
    await order('paper', { action: 'unkill', reason: 'the drill is over' });
    await allDone(jobs);
  }, 240_000);
});

/** Waits until a list has not grown for a second. */
async function sleepUntilStill(list: () => Promise<unknown[]>): Promise<void> {
  for (let last = -1, now = (await list()).length; last !== now; now = (await list()).length) {
    last = now;
    await sleep(1_000);
  }
}
