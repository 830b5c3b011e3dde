import { setTimeout as sleep } from 'node:timers/promises';
import { NO_OVERRIDE } from '../../src/breaker/override';
import { Guard } from '../../src/guard/guard';
import { payday } from '../support/payday';
import { startTestRedis, type TestRedis } from '../support/redis';
import { testStack, type TestStack } from '../support/stack';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

describe('an effect that goes on without the guard', () => {
  const desk = payday();
  const { service, running, aPayout, start, endOf } = desk;

  test('is held by what people had ordered when Redis went away, and is done once they let go', async () => {
    const guard = new Guard(running.direct, { namespace: running.config.retry.redis.namespace, ttlMs: 1 });
    const order = (number: number, force: 'open' | '') =>
      guard.breakers.order('books', 'payout.notify', {
        ...{ ...NO_OVERRIDE, number, force, actor: 'ann', reason: 'drill' },
        ...{ forMs: 600_000, rows: [] },
      });
    const isShut = async (): Promise<boolean> =>
      /fillsafe_queue_gate_shut\{venue="books",job_type="payout.notify"\} 1/.test(await running.plugin.metrics());
    // Numbers of orders that its control workflow has not given.
    await order(101, 'open');
    while (!(await isShut())) await sleep(20);
    running.proxy.close();

    const payouts = Array.from({ length: 12 }, () => aPayout());
    const handles = await Promise.all(payouts.map((payout) => start('payout.notify', payout)));
    // Polls that were out take some: those say what holds them, the others stay in their queue.
    const said = async (): Promise<string[]> => {
      const all = await Promise.all(handles.map((handle) => handle.describe()));
      return all.flatMap(
        ({ raw }) => raw.pendingActivities?.flatMap(({ lastFailure }) => lastFailure?.message ?? []) ?? [],
      );
    };
    while ((await said()).length === 0) await sleep(50);
    expect(new Set((await said()).map((message) => message.replace(/, next try in .*/, '')))).toEqual(
      new Set([
        'held: breaker books/payout.notify: forced open by ann: drill, as this worker last saw it; nothing was sent',
      ]),
    );
    expect(payouts.filter(({ payoutId }) => service.runsOf(payoutId) > 0)).toEqual([]);

    running.proxy.open();
    await order(102, '');
    for (const handle of handles) expect(await endOf(handle)).toMatchObject({ done: { status: 'done' } });
    expect(payouts.map(({ payoutId }) => service.taken(payoutId).length)).toEqual(payouts.map(() => 1));
  });
});

describe('a cancel', () => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let stack: TestStack;

  beforeAll(async () => {
    server = await startTestRedis({ durable: true });
    proxy = await startTcpProxy(server.port);
    const url = new URL(server.url);
    url.port = String(proxy.port);
    stack = await testStack({
      configFile: 'test/support/config/slow-return.yaml',
      settings: { REDIS_URL: url.href },
    });
  }, 120_000);
  afterAll(async () => {
    proxy.open();
    await stack.end();
    await proxy.stop();
    await server.stop();
  });

  test('passes while Redis is away and everything was killed; what adds risk waits', async () => {
    const order = { venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '30', price: '0.0004' };
    // The market stays near the first price that it sees.
    const near = { ...order, intentId: 'near', price: '0.00141' };
    await (await stack.client.submit('order.place', near)).outcome();
    const resting = { intentId: 'rests', ...order };
    await (await stack.client.submit('order.place', resting)).outcome();
    await stack.client.breaker('all').override({ action: 'kill', reason: 'drill', actor: 'ann' });
    proxy.close();
    const waiting = await stack.client.submit('order.place', { intentId: 'waits', ...order });
    const cancel = { intentId: 'cancels', venue: 'paper', symbol: 'XRPETH', orderIntentId: 'rests' };
    expect(await (await stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({
      status: 'done',
      result: { order: { status: 'CANCELED' } },
    });
    expect((await stack.truth()).totals.orders).toBe(2);
    proxy.open();
    await stack.client.breaker('all').override({ action: 'unkill', reason: 'drill', actor: 'ann' });
    expect(await waiting.outcome()).toMatchObject({ status: 'done' });
  }, 120_000);
});
