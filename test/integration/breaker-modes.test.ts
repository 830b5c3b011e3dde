import { setTimeout as sleep } from 'node:timers/promises';
import type { BreakerSnapshot } from '../../src/breaker/snapshot';
import type { SubmittedJob } from '../../src/client/client';
import { openGuard, type OpenGuard } from '../../src/client/open-guard';
import { ordersOfTheDay } from '../../src/demo/trading-day';
import { startWorker, testStack, type TestStack } from '../support/stack';

// Four workers start one after the other, each a process.
jest.setTimeout(300_000);

const PLACEMENT = { method: 'POST', path: '/api/v3/order' };

describe('a running system whose breakers are switched on, and back to watching', () => {
  let stack: TestStack;
  let store: OpenGuard;
  let worker: Awaited<ReturnType<typeof startWorker>> | undefined;
  const jobs: SubmittedJob[] = [];
  const runs = new Map<string, string>();
  const orders = ordersOfTheDay('paper').slice(0, 30);

  beforeAll(async () => {
    // Three failures open a breaker, for longer than all of this takes.
    const settings = {
      FILLSAFE_RETRY__CIRCUIT_BREAKER__FAILURES_IN_ROW: '3',
      FILLSAFE_RETRY__CIRCUIT_BREAKER__OPEN_SECONDS: '600',
      FILLSAFE_RETRY__CIRCUIT_BREAKER__MAXIMUM_OPEN_SECONDS: '600',
    };
    stack = await testStack({ worker: false, configFile: 'test/support/config/quick.yaml', settings });
    store = await openGuard(stack.config);
  });
  afterAll(async () => {
    await worker?.stop();
    store?.close();
    await stack?.end();
  });

  async function switchTo(mode: 'off' | 'observe' | 'enforce'): Promise<void> {
    await worker?.stop();
    worker = await startWorker(stack, { FILLSAFE_MODE: mode });
  }
  async function submit(count: number): Promise<SubmittedJob[]> {
    const submitted = await Promise.all(
      orders.splice(0, count).map((order) => stack.client.submit('order.place', order)),
    );
    for (const { workflowId } of submitted) runs.set(workflowId, (await workflowOf(workflowId).describe()).runId);
    jobs.push(...submitted);
    return submitted;
  }
  const workflowOf = (id: string) => stack.client.temporal.workflow.getHandle(id);
  const breaker = async (): Promise<BreakerSnapshot> =>
    (await store.guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker;
  async function placements(): Promise<number> {
    const { requests } = (await stack.truth()) as unknown as { requests: { method: string; path: string }[] };
    return requests.filter(({ method, path }) => method === PLACEMENT.method && path === PLACEMENT.path).length;
  }
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await sleep(50);
  }
  /** Acts that the running worker let pass though its breaker would have held them. */
  async function wouldBlock(): Promise<number> {
    const page = await (await fetch(`${worker?.metrics}/metrics`)).text();
    return Number(/^fillsafe_acts_would_block_total\{job_type="order.place"\} (\d+)$/m.exec(page)?.[1]);
  }
  /** No act of these is under way: it is in its queue, or was told to come back by a breaker. */
  async function isHeld({ workflowId }: SubmittedJob): Promise<boolean> {
    const { raw } = await workflowOf(workflowId).describe();
    const [act] = raw.pendingActivities ?? [];
    if (act?.activityType?.name !== 'placeOrder') return false;
    const began = act.lastStartedTime !== null && act.lastStartedTime !== undefined;
    return !began || act.lastFailure?.applicationFailureInfo?.type === 'BREAKER_OPEN';
  }

  it('off neither holds nor counts what fails', async () => {
    await stack.addFaults([{ kind: 'error_5xx_not_executed', match: PLACEMENT }]);
    await switchTo('off');
    await submit(4);
    await until(async () => (await placements()) >= 8);
    expect(await breaker()).toMatchObject({ state: 'CLOSED', calls: 0 });
  });

  it('observe opens, lets all of it pass all the same, and counts what it would have held', async () => {
    await switchTo('observe');
    await until(async () => (await breaker()).state === 'OPEN');
    const before = await placements();
    await submit(4);
    await until(async () => (await placements()) >= before + 4);
    expect((await breaker()).state).toBe('OPEN');
    expect(await wouldBlock()).toBeGreaterThanOrEqual(4);
  });

  it('enforce holds the jobs of before and those that come', async () => {
    await switchTo('enforce');
    const held = await submit(4);
    await until(async () => (await Promise.all(held.map(isHeld))).every(Boolean));
    await until(async () => (await Promise.all(jobs.map(isHeld))).every(Boolean));
    await stack.clearFaults();
    const before = await placements();
    expect((await Promise.all(jobs.map((job) => job.outcome({ timeoutMs: 0 })))).map(({ status }) => status)).toEqual(
      jobs.map(() => 'running'),
    );
    expect(await placements()).toBe(before);
    expect((await breaker()).state).toBe('OPEN');
  });

  it('back to observe all of them are done: none lost, none started anew, none twice', async () => {
    await switchTo('observe');
    const outcomes = await Promise.all(jobs.map((job) => job.outcome()));
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
    expect(await wouldBlock()).toBeGreaterThan(0);
    const now = await Promise.all(jobs.map(({ workflowId }) => workflowOf(workflowId).describe()));
    expect(new Map(now.map(({ workflowId, runId }) => [workflowId, runId]))).toEqual(runs);
    const { count } = await stack.client.temporal.workflow.count('WorkflowType = "placeOrder"');
    expect(count).toBe(jobs.length);
    expect((await stack.truth()).totals).toMatchObject({ orders: jobs.length, duplicates: 0 });
  });
});
