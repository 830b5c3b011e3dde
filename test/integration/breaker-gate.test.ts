import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobOutcome, SubmittedJob } from '../../src/client/client';
import { readJobHistory, type JobHistory } from '../../src/client/job-history';
import { openGuard } from '../../src/client/open-guard';
import { clientOrderIdOf } from '../../src/domain/client-order-id';
import type { Guard } from '../../src/guard/guard';
import { submitAll } from '../support/submit-all';
import { testStack, type TestStack } from '../support/stack';

const PLACE = { venue: 'paper', jobType: 'order.place' };
const PLACEMENT = { method: 'POST', path: '/api/v3/order' };
const WAITING = 200;
/** Of a worker and queue, as the gate has it. */
const MOST_POLLS = 10;
/** As `slow-return.yaml` has it. */
const PER_SECOND = 8;

interface VenueRequest {
  at: number;
  method: string;
  path: string;
  clientOrderId?: string;
}

let stack: TestStack;
let guard: Guard;
let close: () => void;
let count = 0;

beforeAll(async () => {
  stack = await testStack({ configFile: 'test/support/config/slow-return.yaml' });
  ({ guard, close } = await openGuard(stack.config));
}, 120_000);
afterAll(async () => {
  close();
  await stack.end();
});

const anOrder = (over: object = {}) => ({
  intentId: `gated-${(count += 1)}`,
  ...{ venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141' },
  ...over,
});
const submitMany = (many: number, over: () => object = () => ({})): Promise<SubmittedJob[]> =>
  submitAll(
    stack.client,
    Array.from({ length: many }, () => anOrder(over())),
  );
const outcomesOf = (jobs: SubmittedJob[]): Promise<JobOutcome[]> => Promise.all(jobs.map((job) => job.outcome()));
const historyOf = ({ workflowId }: SubmittedJob): Promise<JobHistory> =>
  readJobHistory(stack.client.temporal, workflowId);

const order = (action: 'open' | 'auto'): Promise<unknown> =>
  stack.client.breaker('paper/order.place').override({
    ...{ action, reason: 'a test', actor: 'test' },
    ...(action === 'open' && { forSeconds: 600 }),
  });
const stateOf = async (): Promise<string> =>
  (await guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker.state;
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}
async function untilStill(what: () => Promise<number>): Promise<number> {
  for (let last = -1, now = await what(); ; last = now, now = await what()) {
    if (last === now) return now;
    await sleep(1_000);
  }
}

/** What reached the venue for these jobs, or for all. */
async function requestsOf(jobs?: SubmittedJob[]): Promise<VenueRequest[]> {
  const { requests } = (await (await fetch(`${stack.stack.info.paper}/truth`)).json()) as { requests: VenueRequest[] };
  if (!jobs) return requests;
  const { namespace } = stack.config.retry.redis;
  const ids = new Set(jobs.map(({ intentId }) => clientOrderIdOf({ namespace, venue: 'paper', intentId })));
  return requests.filter(({ clientOrderId = '' }) => ids.has(clientOrderId));
}
const placements = async (): Promise<number> => (await requestsOf()).filter(placed).length;
const placed = ({ method, path }: VenueRequest): boolean => method === PLACEMENT.method && path === PLACEMENT.path;

/** A number of the worker's page of metrics. */
async function metric(series: string): Promise<number> {
  const page = await (await fetch(`${stack.stack.info.metrics}/metrics`)).text();
  return Number(
    page
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length),
  );
}
const gateShut = (): Promise<number> =>
  metric('fillsafe_queue_gate_shut{venue="paper",job_type="order.place"}').catch(() => NaN);

/** Attempts that workers have taken of jobs that are waiting, once each of them is in its queue. */
async function attemptsOf(jobs: SubmittedJob[]): Promise<number> {
  let taken = 0;
  for (const { workflowId } of jobs) {
    const handle = stack.client.temporal.workflow.getHandle(workflowId);
    let attempt: number | undefined;
    await until(async () => {
      attempt = (await handle.describe()).raw.pendingActivities?.[0]?.attempt ?? undefined;
      return attempt !== undefined;
    });
    // The one that waits now is counted too.
    taken += attempt! - 1;
  }
  return taken;
}

describe('jobs of a place whose breaker opens', () => {
  test(`${WAITING} of them call nobody and use no attempts while it is open, and come back as a queue, each done once`, async () => {
    await stack.addFaults([{ kind: 'error_5xx_not_executed', match: PLACEMENT }]);
    const first = await submitMany(6);
    await until(async () => (await stateOf()) === 'OPEN');
    // By itself, before any person orders anything.
    await until(async () => (await gateShut()) === 1);
    await order('open');
    await stack.clearFaults();
    const before = await untilStill(placements);

    const jobs = await submitMany(WAITING);
    const used = await untilStill(() => attemptsOf(jobs));
    const lookUps = await requestsOf(jobs);
    process.stdout.write(`${WAITING} jobs behind a shut gate: ${used} attempts, ${lookUps.length} calls\n`);
    // Polls that were out when the gate shut.
    expect(used).toBeLessThanOrEqual(MOST_POLLS);
    expect(lookUps).toEqual([]);
    expect(await placements()).toBe(before);

    await order('auto');
    const outcomes = await outcomesOf([...first, ...jobs]);
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
    await until(async () => (await gateShut()) === 0);

    const histories = await Promise.all(jobs.map(historyOf));
    expect(
      histories.flatMap(({ activities }) => activities).filter(({ activityType }) => activityType === 'lookUp'),
    ).toEqual([]);
    const requests = await requestsOf(jobs);
    expect(requests.filter(placed)).toHaveLength(WAITING);
    expect((await stack.truth()).totals.duplicates).toBe(0);
    const { since: closedAt } = (await guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker;
    const times = requests
      .filter(placed)
      .map(({ at }) => at)
      .filter((at) => at < closedAt);
    const most = mostWithin(times, 5_000);
    const seconds = (times.at(-1)! - times[0]!) / 1_000;
    process.stdout.write(
      `${times.length} of them came back before it closed, in ${seconds} s, at most ${most} in 5 s\n`,
    );
    // Two windows may meet at a second's edge.
    expect(most).toBeLessThanOrEqual(6 * PER_SECOND);
  }, 300_000);
});

describe('orders whose expiresAt passes behind a shut gate', () => {
  test('end as EXPIRED, whether a worker had taken them or not, and none of them leaves', async () => {
    await order('open');
    await until(async () => (await gateShut()) === 1);
    const jobs = await submitMany(30, () => ({ expiresAt: Date.now() + 3_000 }));
    const outcomes = await outcomesOf(jobs);
    expect(outcomes.filter((outcome) => !('category' in outcome) || outcome.category !== 'EXPIRED')).toEqual([]);
    expect(await requestsOf(jobs)).toEqual([]);
    const records = await Promise.all(jobs.map(({ intentId }) => guard.record({ ...PLACE, intentId })));
    const states = records.map((record) => [record?.state, record?.sends]);
    // What a worker had taken was released by it; the rest was refused for good without one.
    expect(states.filter(([state, sends]) => state !== 'REJECTED' && (state !== 'RELEASED' || sends !== 0))).toEqual(
      [],
    );
    expect(states).toContainEqual(['REJECTED', 1]);
  }, 120_000);
});

describe('a worker that is stopped while its gate is shut', () => {
  test('ends without an error, and the next one takes nothing from its first poll on', async () => {
    await order('open');
    await until(async () => (await gateShut()) === 1);
    const log = join(stack.stack.info.dataDir, 'logs', 'worker.log');
    const before = readFileSync(log, 'utf8').length;
    const pid = stack.stack.pid('worker')!;
    process.kill(pid, 'SIGTERM');
    await until(() => Promise.resolve(![pid, undefined].includes(stack.stack.pid('worker'))));
    await until(async () => (await metric('fillsafe_worker_ready').catch(() => 0)) === 1);
    const jobs = await submitMany(10, () => ({ expiresAt: Date.now() + 3_000 }));
    await outcomesOf(jobs);
    const histories = await Promise.all(jobs.map(historyOf));
    expect(histories.map(({ activities }) => activities[0]?.attempts)).toEqual(jobs.map(() => 0));
    const said = readFileSync(log, 'utf8')
      .slice(before)
      .split('\n')
      .filter((line) => /"level":[56]0/.test(line));
    expect(said).toEqual([]);
  }, 120_000);
});

/** How many of these moments lie within the busiest time of this length. */
function mostWithin(times: number[], ms: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.max(...sorted.map((from) => sorted.filter((at) => at >= from && at < from + ms).length));
}
