import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { guardKeys } from '../../src/guard/keys';
import { rowIn } from '../support/breaker-desk';
import { runCli, type CliEnd } from '../support/run-cli';
import { startWorker, testStack, type TestStack } from '../support/stack';

jest.setTimeout(180_000);

const SCOPE = 'paper/order.place';

describe('a kill that is ordered', () => {
  let stack: TestStack;
  let redis: Redis;
  let stopWorker: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    stack = await testStack({ configFile: 'test/support/config/quick.yaml', worker: false });
    redis = new Redis(stack.stack.info.redis ?? '');
  });
  afterAll(async () => {
    redis?.disconnect();
    await stopWorker?.();
    await stack?.end();
  });

  const fillsafe = (...args: string[]): Promise<CliEnd> => runCli([...args, '--config', stack.stack.info.config]);
  const anOrder = (intentId: string) => ({
    ...{ intentId, venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141' },
  });
  async function placements(): Promise<number> {
    const { requests } = (await stack.truth()) as unknown as { requests: { method: string; path: string }[] };
    return requests.filter(({ method, path }) => method === 'POST' && path === '/api/v3/order').length;
  }
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await sleep(50);
  }
  const rows = async (scope: string): Promise<unknown[]> => {
    const entries = await redis.xrange(guardKeys('idempotency').audit('paper'), '-', '+');
    return entries.map(([, fields]) => rowIn(fields)).filter((row) => row?.scope === scope);
  };

  const kill = (scope: string, reason = 'runaway strategy') => {
    return fillsafe('breaker', 'kill', scope, '--reason', reason, '--actor', 'ann');
  };
  const kept = (scope: string) => ({
    ...{ code: 1, stdout: '' },
    stderr: expect.stringContaining(
      `fillsafe: kill of ${scope} is kept in Temporal, but not in force yet: the first worker that starts obeys it before it acts.`,
    ) as string,
  });

  test('while no worker runs is said to be kept and not in force yet; the worker that starts sends nothing; it has one row in the audit', async () => {
    const job = await stack.client.submit('order.place', anOrder('before-the-kill'));
    expect(await kill('paper')).toEqual(expect.objectContaining(kept('paper')));
    // What a server had only heard of dies with it.
    const pid = stack.stack.pid('temporal')!;
    process.kill(pid, 'SIGKILL');
    await until(() => Promise.resolve(![undefined, pid].includes(stack.stack.pid('temporal'))));
    // And what it heard of and was left there besides comes twice. Nobody is sure of it, so it is ordered again, and in code.
    const inCode = stack.client
      .breaker(SCOPE)
      .override({ action: 'kill', reason: 'runaway strategy', actor: 'ann' })
      .catch(({ message }: Error) => message);
    expect(await kill(SCOPE)).toEqual(expect.objectContaining(kept(SCOPE)));
    expect(await inCode).toContain(`kill of ${SCOPE} is kept in Temporal, but not in force yet`);

    stopWorker = (await startWorker(stack)).stop;
    for (const scope of ['paper', SCOPE]) {
      await until(async () => (await stack.client.breaker(scope).state())?.inEffect === true);
      expect(await rows(scope)).toMatchObject([{ action: 'kill', actor: 'ann', reason: 'runaway strategy' }]);
      const history = await fillsafe('breaker', 'history', scope, '--verify', '--json');
      expect(history.json()[0]).toMatchObject({ verified: true, compared: true, rows: await rows(scope) });
    }
    const later = await stack.client.submit('order.place', anOrder('after-the-kill'));
    const cancel = { intentId: 'cancel', venue: 'paper', symbol: 'XRPETH', orderIntentId: 'nothing-there' };
    await (await stack.client.submit('order.cancel', cancel)).outcome();
    expect(await placements()).toBe(0);

    for (const scope of ['paper', SCOPE])
      expect(await fillsafe('breaker', 'unkill', scope, '--reason', 'over')).toMatchObject({ code: 0 });
    for (const each of [job, later]) expect(await each.outcome()).toMatchObject({ status: 'done' });
    expect(await placements()).toBe(2);
  });

  test('while one runs is a second order in other words, or when it was lifted, and not before', async () => {
    const before = (await rows('paper')).length;
    for (const [reason, count] of [['a drill', 1] as const, ['a drill', 1] as const, ['no drill', 2] as const]) {
      expect(await kill('paper', reason)).toMatchObject({ code: 0 });
      expect(await rows('paper')).toHaveLength(before + count);
    }
    expect(await fillsafe('breaker', 'unkill', 'paper', '--reason', 'over')).toMatchObject({ code: 0 });
    expect(await kill('paper', 'a drill')).toMatchObject({ code: 0 });
    expect(await rows('paper')).toHaveLength(before + 4);
  });
});
