import { setTimeout as sleep } from 'node:timers/promises';
import type { JobOutcome } from '../../src/client/client';
import { ordersOfTheDay, submitAll } from '../../src/demo/trading-day';
import { sameAnswer, testStack, type TestStack } from '../support/stack';

const KILLS = 10;
const SEED = 20180110;

describe('a worker that is killed (-9) ten times while 358 orders are under way and every tenth answer is lost', () => {
  let stack: TestStack;
  let first: JobOutcome[];
  const orders = ordersOfTheDay('paper').slice(0, 358);

  beforeAll(async () => {
    stack = await testStack();
    await stack.addFaults([{ kind: 'drop_after', match: { method: 'POST', path: '/api/v3/order', probability: 0.1 } }]);
    const killAt = killPoints(orders.length);
    let ended = 0;
    const day = submitAll(stack.client, orders, () => (ended += 1));
    for (const point of killAt) {
      while (ended < point) await sleep(20);
      await killWorker(stack);
    }
    first = await day;
    await stack.clearFaults();
  }, 400_000);

  afterAll(() => stack.end());

  test('every order is done', () => {
    expect(first.filter(({ status }) => status !== 'done')).toEqual([]);
    expect(first).toHaveLength(358);
  });

  test('the venue took every order once and none twice', async () => {
    const { totals } = await stack.truth();
    expect(totals).toMatchObject({ orders: 358, executions: 358, duplicates: 0 });
  });

  test('a second submit of the same orders executes nothing and gives the same answers', async () => {
    const second = await submitAll(stack.client, orders, () => undefined);
    const { totals } = await stack.truth();
    expect(totals.executions).toBe(358);
    expect(second.every((outcome) => outcome.status === 'done' && outcome.result.replayed)).toBe(true);
    expect(byIntent(second)).toEqual(byIntent(first));
  });
});

/** Ends of jobs after which the worker dies, drawn from the seed. */
function killPoints(jobs: number): number[] {
  let state = SEED;
  const draw = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: KILLS }, () => Math.floor(draw() * jobs * 0.9)).sort((left, right) => left - right);
}

async function killWorker({ stack }: TestStack): Promise<void> {
  let pid = stack.pid('worker');
  while (pid === undefined) {
    await sleep(50);
    pid = stack.pid('worker');
  }
  process.kill(pid, 'SIGKILL');
  // The supervisor has a new one before the next is killed, else ten kills would hit one worker.
  while (stack.pid('worker') === pid || stack.pid('worker') === undefined) await sleep(50);
}

function byIntent(outcomes: JobOutcome[]): unknown[] {
  return [...outcomes].sort((left, right) => (left.intentId < right.intentId ? -1 : 1)).map(sameAnswer);
}
