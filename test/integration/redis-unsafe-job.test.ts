import { Redis } from 'ioredis';
import { ordersOfTheDay } from '../../src/demo/trading-day';
import { waitUntil } from '../../src/dev/wait-until';
import { runCli } from '../support/run-cli';
import { testStack, type TestStack } from '../support/stack';

describe('a Redis that becomes unsafe while orders come in', () => {
  let stack: TestStack;
  let admin: Redis;

  beforeAll(async () => {
    stack = await testStack();
    admin = new Redis(stack.stack.info.redis);
  }, 120_000);
  afterAll(async () => {
    admin.disconnect();
    await stack.end();
  });

  const ready = async (): Promise<{ status: number; text: string }> => {
    const response = await fetch(`${stack.stack.info.metrics}/readyz`);
    return { status: response.status, text: await response.text() };
  };
  const fillsafe = (...args: string[]) => runCli([...args, '--json', '--config', stack.stack.info.config]);

  test('holds them, says why everywhere, and places each once when Redis is safe again', async () => {
    const [order] = ordersOfTheDay('paper');
    expect(await ready()).toEqual({ status: 200, text: 'ready\n' });
    const before = (await stack.truth()).totals.orders;

    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await ready()).toEqual({
      status: 503,
      text: expect.stringContaining('redis: maxmemory-policy is allkeys-lru'),
    });
    const job = await stack.client.submit('order.place', order);
    const handle = stack.client.temporal.workflow.getHandle(`order:${order?.['intentId']}`);
    const held = async (): Promise<string> => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.[0]?.lastFailure?.message ?? '';
    };
    expect(await waitUntil(async () => (await held()) !== '', { timeoutMs: 30_000 })).toBe(true);
    expect(await held()).toContain('not acted, Redis is not safe: maxmemory-policy is allkeys-lru');
    expect(await held()).toContain('CONFIG SET maxmemory-policy noeviction');
    expect((await stack.truth()).totals.orders).toBe(before);

    const status = await fillsafe('status');
    expect(status.json()).toMatchObject([
      { services: { redis: expect.stringContaining('not safe, no order is placed: maxmemory-policy') } },
    ]);
    expect(status.code).toBe(1);
    const doctor = await fillsafe('doctor');
    expect(doctor.json<{ findings: object[] }>()[0]?.findings).toContainEqual({
      state: 'fail',
      what: 'Redis eviction',
      found: expect.stringContaining('maxmemory-policy is allkeys-lru'),
      todo: 'run CONFIG SET maxmemory-policy noeviction and set it in redis.conf',
    });
    expect(doctor.code).toBe(1);

    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    expect((await ready()).status).toBe(200);
    expect(await job.outcome()).toMatchObject({ status: 'done' });
    expect((await stack.truth()).totals).toMatchObject({ orders: before + 1, duplicates: 0 });
  }, 90_000);
});
