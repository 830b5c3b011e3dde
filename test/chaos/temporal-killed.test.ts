import { setTimeout as sleep } from 'node:timers/promises';
import type { JobOutcome } from '../../src/client/client';
import { ordersOfTheDay } from '../../src/demo/trading-day';
import { testStack, type TestStack } from '../support/stack';

describe("Temporal's server killed (-9) with 100 orders in flight and restarted on the same file", () => {
  let stack: TestStack;
  let outcomes: JobOutcome[];
  const orders = ordersOfTheDay('paper').slice(0, 100);

  beforeAll(async () => {
    stack = await testStack();
    // Answers take long enough that most orders are at the venue when the server dies.
    await stack.addFaults([
      { kind: 'delay', ms: 1_500, phase: 'after', match: { method: 'POST', path: '/api/v3/order' } },
    ]);
    const jobs = await Promise.all(orders.map((order) => stack.client.submit('order.place', order)));
    const { totals } = await stack.truth();
    let taken = totals.executions;
    while (taken < 50) {
      await sleep(20);
      taken = (await stack.truth()).totals.executions;
    }
    const pid = stack.stack.pid('temporal')!;
    process.kill(pid, 'SIGKILL');
    outcomes = await Promise.all(jobs.map((job) => job.outcome()));
  }, 300_000);

  afterAll(() => stack.end());

  test('all jobs end, each of them done', () => {
    expect(outcomes.map(({ status }) => status)).toEqual(orders.map(() => 'done'));
  });

  test('no order is executed twice', async () => {
    const { totals } = await stack.truth();
    expect(totals).toMatchObject({ orders: 100, executions: 100, duplicates: 0 });
  });
});
