import { setTimeout as sleep } from 'node:timers/promises';
import { ordersOfTheDay } from '../../src/demo/trading-day';
import type { BreakerState } from '../../src/breaker/snapshot';
import { Guard } from '../../src/guard/guard';
import { connectRedis } from '../../src/redis/client';
import { testStack, type TestStack } from '../support/stack';

describe('a venue that fails', () => {
  let stack: TestStack;
  let state: () => Promise<BreakerState>;
  let disconnect: () => void;

  beforeAll(async () => {
    stack = await testStack({ configFile: 'test/support/config/touchy-breaker.yaml' });
    const redis = await connectRedis(stack.config.redis);
    const guard = new Guard(redis, { namespace: stack.config.retry.redis.namespace, ttlMs: 1 });
    state = async () => (await guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker.state;
    disconnect = () => redis.disconnect();
  }, 120_000);

  afterAll(async () => {
    disconnect();
    await stack.end();
  });

  const until = async (wanted: BreakerState): Promise<void> => {
    while ((await state()) !== wanted) await sleep(20);
  };
  const placements = async (): Promise<number> => {
    const response = await fetch(`${stack.stack.info.paper}/truth`);
    const { requests } = (await response.json()) as { requests: { method: string; path: string }[] };
    return requests.filter(({ method, path }) => method === 'POST' && path === '/api/v3/order').length;
  };

  test('opens the breaker for all; held jobs send nothing, cancels pass, and all end once it has closed', async () => {
    const orders = ordersOfTheDay('paper').slice(0, 30);
    const [resting] = ordersOfTheDay('paper').slice(40, 41);
    await (await stack.client.submit('order.place', resting)).outcome();
    await stack.addFaults([{ kind: 'error_5xx_not_executed', match: { method: 'POST', path: '/api/v3/order' } }]);
    const first = await Promise.all(orders.slice(0, 6).map((order) => stack.client.submit('order.place', order)));
    await until('OPEN');

    // What was admitted before the trip may still be on its way; it is counted before the others start.
    await sleepUntilStill(placements);
    const before = await placements();
    const held = await Promise.all(orders.slice(6).map((order) => stack.client.submit('order.place', order)));
    const cancel = {
      intentId: 'cancel-while-open',
      venue: 'paper',
      symbol: resting?.['symbol'],
      orderIntentId: resting?.['intentId'],
    };
    expect(await (await stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({ status: 'done' });
    await stack.clearFaults();
    expect(await placements()).toBe(before);
    expect(await state()).toBe('OPEN');

    const outcomes = await Promise.all([...first, ...held].map((job) => job.outcome()));
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
    // It closes with an act that comes when no other waits any more.
    const [more] = ordersOfTheDay('paper').slice(50, 51);
    for (let i = 0; (await state()) !== 'CLOSED'; i += 1) {
      const job = await stack.client.submit('order.place', { ...more, intentId: `more-${i}` });
      expect(await job.outcome()).toMatchObject({ status: 'done' });
    }
    expect((await stack.truth()).totals.duplicates).toBe(0);
    const page = await (await fetch(`${stack.stack.info.metrics}/metrics`)).text();
    expect(page).toMatch(
      /fillsafe_circuit_breaker_transitions_total\{venue="paper",job_type="order.place",to="OPEN"\} [1-9]/,
    );
    expect(page).toMatch(
      /fillsafe_attempts_blocked_total\{job_type="order.place",kind="first",reason="circuit_open"\} [1-9]/,
    );
  }, 120_000);
});

/** Waits until a count has not moved for a second. */
async function sleepUntilStill(count: () => Promise<number>): Promise<void> {
  for (let last = -1, now = await count(); last !== now; now = await count()) {
    last = now;
    await sleep(1_000);
  }
}
