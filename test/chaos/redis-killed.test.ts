import { setTimeout as sleep } from 'node:timers/promises';
import type { JobOutcome } from '../../src/client/client';
import { ordersOfTheDay, submitAll } from '../../src/demo/trading-day';
import { testStack, type TestStack } from '../support/stack';

const KILLS = 3;

describe('Redis killed (-9) three times while 120 orders are under way', () => {
  let stack: TestStack;
  let outcomes: JobOutcome[];
  const orders = ordersOfTheDay('paper').slice(0, 120);

  beforeAll(async () => {
    stack = await testStack();
    let ended = 0;
    const day = submitAll(stack.client, orders, () => (ended += 1));
    for (let kill = 1; kill <= KILLS; kill++) {
      while (ended < kill * 25) await sleep(20);
      const pid = stack.stack.pid('redis')!;
      process.kill(pid, 'SIGKILL');
      while (stack.stack.pid('redis') === pid) await sleep(20);
    }
    outcomes = await day;
  }, 300_000);

  afterAll(() => stack.end());

  test('every order is done', () => {
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
  });

  test('no order is executed twice', async () => {
    expect((await stack.truth()).totals).toMatchObject({ orders: 120, executions: 120, duplicates: 0 });
  });

  test('no intent is left unresolved once the late settlements have arrived', async () => {
    const metrics = stack.stack.info.metrics ?? '';
    const unresolved = async (): Promise<number> => {
      const page = await (await fetch(`${metrics}/metrics`)).text();
      return Number(/^fillsafe_outcome_unknown_jobs\{venue="paper"\} (\d+)$/m.exec(page)?.[1]);
    };
    while ((await unresolved()) > 0) await sleep(100);
    expect(await unresolved()).toBe(0);
  });
});
