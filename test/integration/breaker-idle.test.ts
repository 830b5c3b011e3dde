import { readBreakers } from '../../src/cli/read-breakers';
import { readStatus } from '../../src/cli/read-status';
import { loadConfig } from '../../src/config/load';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import { rewrite, shiftBreaker } from '../model/shift-time';
import { admitRequest, breaker, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';

describe('a breaker that nobody calls any more', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());

  it('shows the calls of its window alone, in breaker list and in status', async () => {
    const namespace = server.namespace();
    const guard = new Guard(await server.connect(), { namespace, ttlMs: 100_000 });
    const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
    const config = loadConfig({
      env: {},
      flags: {
        ...{ venues: { paper: venue }, redis: { url: server.url }, temporal: { address: '127.0.0.1:1' } },
        retry: { redis: { namespace }, circuit_breaker: { window_seconds: breaker.windowMs / 1_000 } },
      },
    });
    const key = guardKeys(namespace).breaker('paper', 'order.place');
    const pass = (ms: number) => rewrite(server.admin, key, (raw) => shiftBreaker(raw, ms, breaker.windowMs));
    const settled = async (intentId: string, health: 'ok' | 'fail'): Promise<void> => {
      const fence = fenceOf(await guard.admit(placing(intentId), admitRequest()));
      await guard.settle(placing(intentId), settleRequest({ fence, health }));
    };
    const listed = async () => {
      const [line] = await readBreakers(config, [{ venue: 'paper', level: 'order.place' }]);
      return [line?.failures, line?.calls];
    };

    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    await settled('a', 'fail');
    await pass(breaker.windowMs / 2);
    await settled('b', 'ok');
    expect(await listed()).toEqual([1, 2]);
    await pass(breaker.windowMs / 2);
    expect(await listed()).toEqual([0, 1]);
    const { breakers } = await readStatus(config, undefined);
    expect(breakers).toContainEqual(expect.objectContaining({ jobType: 'order.place', failures: 0, calls: 1 }));
    await pass(breaker.windowMs / 2);
    expect(await listed()).toEqual([0, 0]);
    // The clock of Redis went back: what was counted lies ahead.
    await settled('c', 'fail');
    await rewrite(server.admin, key, (raw) => raw.replace(/\d+(?=:[\d:]+$)/, (slot) => String(Number(slot) + 1_000)));
    expect(await listed()).toEqual([0, 0]);
  });
});
