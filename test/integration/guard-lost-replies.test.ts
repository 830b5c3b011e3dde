import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import { waitUntil } from '../../src/dev/wait-until';
import { Guard } from '../../src/guard/guard';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

const COMMAND_TIMEOUT_MS = 1_500;

describeOnEachRedis('the guard on a connection that breaks', (version) => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let redis: Redis;
  let guard: Guard;
  let direct: Guard;

  beforeAll(async () => {
    server = await startTestRedis({ version });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    const options = { namespace: server.namespace(), ttlMs: 100_000 };
    proxy = await startTcpProxy(server.port);
    redis = await server.connect({ commandTimeoutMs: COMMAND_TIMEOUT_MS, port: proxy.port });
    guard = new Guard(redis, options);
    direct = new Guard(await server.connect(), options);
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    // Redis has the scripts: from here on each call is one round trip.
    const fence = fenceOf(await guard.admit(placing('warm'), admitRequest()));
    await guard.settle(placing('warm'), settleRequest({ fence }));
  });
  afterEach(async () => {
    redis.disconnect();
    await proxy.stop();
  });

  it('gives an attempt whose GO was lost on the way the same GO again, and counts one send', async () => {
    proxy.loseReplies(1);
    const go = await guard.admit(placing('a'), admitRequest());
    expect(proxy.cuts).toBe(1);
    expect(go).toMatchObject({ kind: 'GO', sends: 1 });
    expect(fenceOf(go)).toBe((await direct.record(placing('a')))?.fence);
    expect(await guard.settle(placing('a'), settleRequest({ fence: fenceOf(go) }))).toMatchObject({ kind: 'OK' });
  });

  it('tells a settlement whose answer was lost that it arrived, and takes a send off once', async () => {
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    proxy.loseReplies(1);
    const request = settleRequest({ fence, ending: 'release', payload: '{}', health: 'none' });
    expect(await guard.settle(placing('a'), request)).toMatchObject({ kind: 'OK', state: 'RELEASED' });
    expect(proxy.cuts).toBe(1);
    expect(await direct.record(placing('a'))).toMatchObject({ state: 'RELEASED', sends: 0, attempts: 1 });
  });

  it('fails at once while Redis is away, and the act is not claimed when Redis is back', async () => {
    proxy.close();
    await waitUntil(() => Promise.resolve(redis.status !== 'ready'), { timeoutMs: 5_000 });
    const asked = performance.now();
    await expect(guard.admit(placing('a'), admitRequest())).rejects.toMatchObject({ name: 'StoreUnavailableError' });
    expect(performance.now() - asked).toBeLessThan(COMMAND_TIMEOUT_MS + 1_000);

    proxy.open();
    await waitUntil(() => Promise.resolve(redis.status === 'ready'), { timeoutMs: 5_000 });
    await redis.ping();
    expect(await direct.record(placing('a'))).toBeUndefined();
  });

  it('does not send a claim any more that its caller has stopped waiting for', async () => {
    proxy.blackHole();
    await expect(guard.admit(placing('a'), admitRequest())).rejects.toMatchObject({ name: 'StoreUnavailableError' });

    proxy.open();
    await waitUntil(() => Promise.resolve(redis.status !== 'ready'), { timeoutMs: 5_000 });
    await waitUntil(() => Promise.resolve(redis.status === 'ready'), { timeoutMs: 5_000 });
    // Answers come in the order of the commands: whatever was sent again came before this one.
    await redis.ping();
    expect(await direct.record(placing('a'))).toBeUndefined();
    expect(await guard.admit(placing('a'), admitRequest({ nonce: 'n2' }))).toMatchObject({ kind: 'GO', sends: 1 });
  });
});
