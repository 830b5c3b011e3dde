import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { JobOutcome } from '../../src/client/client';
import { WORKFLOW_QUEUE } from '../../src/domain/job-types';
import type { OrderResult } from '../../src/domain/order';
import { guardKeys } from '../../src/guard/keys';
import { ordersOfTheDay, submitAll } from '../../src/demo/trading-day';
import { rewrite, shiftStore } from '../model/shift-time';
import { runCli } from '../support/run-cli';
import { testStack, type TestStack } from '../support/stack';

const ORDERS = 80;
const AGAIN = 10;

describe(`Redis emptied (FLUSHALL) while ${ORDERS} orders are under way`, () => {
  let stack: TestStack;
  let redis: Redis;
  let outcomes: JobOutcome[];
  /** What other workflows were answered that asked, right after the loss, for orders that were done. */
  let again: OrderResult[];
  const orders = ordersOfTheDay('paper').slice(0, ORDERS);
  const suspected = async (): Promise<string | undefined> => {
    const page = await (await fetch(`${stack.stack.info.metrics ?? ''}/metrics`)).text();
    return /^fillsafe_store_suspected\{venue="paper"\} (\d)$/m.exec(page)?.[1];
  };
  const fillsafe = (...args: string[]) => runCli([...args, '--config', stack.stack.info.config]);
  const orderIdOf = (intentId: unknown): string => {
    const outcome = outcomes.find((one) => one.intentId === intentId);
    if (outcome?.status !== 'done' || !('order' in outcome.result)) throw new Error('this order is not done');
    return outcome.result.order.orderId;
  };
  /** Another workflow that somebody starts for an intent that has its own. */
  const elsewhere = (order: Record<string, unknown>, workflowId: string) =>
    stack.client.temporal.workflow.execute('placeOrder', { workflowId, taskQueue: WORKFLOW_QUEUE, args: [order] });

  beforeAll(async () => {
    stack = await testStack();
    redis = new Redis(stack.stack.info.redis ?? '').on('error', () => undefined);
    const ended: JobOutcome[] = [];
    const day = submitAll(stack.client, orders, (outcome) => void ended.push(outcome));
    while (ended.length < 20) await sleep(20);
    await redis.flushall();
    const asked = ended
      .slice(0, AGAIN)
      .map(({ intentId }) => orders.find((order) => order['intentId'] === intentId) ?? {});
    const answers = Promise.all(asked.map((order, i) => elsewhere(order, `somebody-else:day-${i}`)));
    again = (await answers) as OrderResult[];
    outcomes = await day;
  }, 300_000);

  afterAll(async () => {
    redis?.disconnect();
    await stack?.end();
  });

  test('every order is done, and none is executed twice', async () => {
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
    expect((await stack.truth()).totals).toMatchObject({ orders: ORDERS, executions: ORDERS, duplicates: 0 });
  });

  test('orders that were done before the loss are answered the same to other workflows', () => {
    expect(again.map(({ order }) => order.orderId)).toEqual(again.map(({ intentId }) => orderIdOf(intentId)));
    expect(again).toHaveLength(AGAIN);
  });

  test('the log, the metric, status and doctor tell while it lasts', async () => {
    await redis.flushall();
    await elsewhere(orders[0] ?? {}, 'somebody-else:1');
    // However long the commands take to start, it lasts.
    await rewrite(redis, guardKeys('idempotency').store('paper'), (raw) => shiftStore(raw, -600_000));
    expect(await suspected()).toBe('1');
    const log = readFileSync(join(stack.stack.info.dataDir, 'logs', 'worker.log'), 'utf8');
    expect(log).toContain('claims may be lost: every act is looked up before it leaves');
    const [status] = (await fillsafe('status', '--json')).json<{ suspected: object[] }>();
    expect(status?.suspected).toMatchObject([{ venue: 'paper', why: expect.stringContaining('Redis') as string }]);
    expect((await fillsafe('doctor')).stdout).toMatch(/paper: Redis .*every act is looked up before it leaves/);
  });

  test('a person who vouches for it ends the suspicion, which is kept in the audit', async () => {
    await redis.flushall();
    await elsewhere(orders[1] ?? {}, 'somebody-else:2');
    expect((await fillsafe('guard', 'trust', 'paper')).code).toBe(2);
    const trusted = await fillsafe('guard', 'trust', 'paper', '--reason', 'a drill', '--actor', 'ann');
    expect(trusted).toMatchObject({ code: 0 });
    const [status] = (await fillsafe('status', '--json')).json<{ suspected: object[] }>();
    expect(status?.suspected).toEqual([]);
    const rows = await redis.xrange(guardKeys('idempotency').audit('paper'), '-', '+');
    expect(rows.map(([, fields]) => fields)).toEqual([
      expect.arrayContaining(['what', 'trust', 'actor', 'ann', 'reason', 'a drill', 'Redis has lost its data']),
    ]);
    // The worker hears of it with its next act, which leaves at once.
    const next = { ...orders[2], intentId: 'after-the-drill' };
    expect(await elsewhere(next, 'order:after-the-drill')).toMatchObject({ status: 'done', attempts: 1 });
    expect(await suspected()).toBe('0');
  });

  test('a worker that has nothing to do notices it as soon as it is connected again', async () => {
    expect(await suspected()).toBe('0');
    await redis.flushall();
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    while ((await suspected()) !== '1') await sleep(50);
  });

  test('a worker that starts on the emptied Redis knows from Temporal that orders were done there', async () => {
    const pid = stack.stack.pid('worker')!;
    process.kill(pid, 'SIGKILL');
    await redis.flushall();
    const second = (await elsewhere(orders[3] ?? {}, 'somebody-else:3')) as OrderResult;
    expect(second.order.orderId).toBe(orderIdOf(orders[3]?.['intentId']));
    expect((await stack.truth()).totals).toMatchObject({ duplicates: 0, orders: ORDERS + 1 });
  });
});
