import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { firstBrokenRow, type AuditRow } from '../../src/breaker/control/audit';
import type { OverrideAction } from '../../src/breaker/control/request';
import { guardKeys } from '../../src/guard/keys';
import { rowIn } from '../support/breaker-desk';
import { testStack, type TestStack } from '../support/stack';

jest.setTimeout(180_000);

describe('a kill whose control workflow is terminated while Redis loses everything', () => {
  let stack: TestStack;
  let redis: Redis;

  beforeAll(async () => {
    stack = await testStack({ configFile: 'test/support/config/quick.yaml' });
    redis = new Redis(stack.stack.info.redis ?? '');
  });
  afterAll(async () => {
    redis?.disconnect();
    await stack?.end();
  });

  const order = (action: OverrideAction, reason: string) =>
    stack.client.breaker('paper').override({ action, reason, actor: 'ann' });
  const state = () => stack.client.breaker('paper').state();
  async function until(holds: () => Promise<boolean>): Promise<void> {
    // One that is new answers no query before it was begun.
    while (!(await holds().catch(() => false))) await sleep(50);
  }
  const rows = async (): Promise<AuditRow[]> => {
    const entries = await redis.xrange(guardKeys('idempotency').audit('paper'), '-', '+');
    return entries.map(([, fields]) => rowIn(fields)!).filter(({ scope }) => scope === 'paper');
  };
  /** Both at once: no worker sees the one without the other. */
  async function loseAll(): Promise<void> {
    const worker = stack.stack.pid('worker')!;
    process.kill(worker, 'SIGSTOP');
    await stack.client.temporal.workflow.getHandle('breaker:paper').terminate('a drill');
    await redis.flushall();
    process.kill(worker, 'SIGCONT');
  }

  test('is believed to the worker that remembers it, and one unkill lifts it for all', async () => {
    for (const action of ['kill', 'unkill', 'kill'] as const) await order(action, `order to ${action}`);
    await loseAll();
    await until(async () => (await state())?.inEffect === true && (await rows()).length > 0);
    expect(await state()).toMatchObject({ standing: 'KILLED', number: 4, kill: { actor: 'ann' } });
    expect(await rows()).toMatchObject([
      {
        ...{ number: 4, action: 'kill', actor: 'ann' },
        reason: 'remembered by a worker, lost in Temporal and in Redis: order to kill',
      },
    ]);
    const usual = { venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141' };
    const job = await stack.client.submit('order.place', { intentId: 'held', ...usual });
    expect(await order('unkill', 'it is over')).toMatchObject({ standing: 'AUTOMATIC', number: 5 });
    expect(await job.outcome()).toMatchObject({ status: 'done' });
    expect(firstBrokenRow(await rows(), await stack.client.breaker('paper').history())).toBeUndefined();
  });

  test('that was lifted before does not come back, and orders go on to be heard by all', async () => {
    const { number } = (await state())!;
    await loseAll();
    expect(await order('kill', 'anew')).toMatchObject({ standing: 'KILLED' });
    await until(async () => (await state())!.events.some(({ what }) => what.startsWith('a worker remembers order')));
    const lifted = await order('unkill', 'over');
    expect(lifted.standing).toBe('AUTOMATIC');
    expect(lifted.number).toBeGreaterThan(number);
    const usual = { venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141' };
    const job = await stack.client.submit('order.place', { intentId: 'after', ...usual });
    expect(await job.outcome()).toMatchObject({ status: 'done' });
    expect(firstBrokenRow(await rows(), await stack.client.breaker('paper').history())).toBeUndefined();
  });
});
