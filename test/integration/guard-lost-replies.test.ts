import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { waitUntil } from '../../src/dev/wait-until';
import { Guard } from '../../src/guard/guard';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

const COMMAND_TIMEOUT_MS = 1_500;

/** Until it is connected the next time. To be asked for before the connection is lost. */
function nextConnection(redis: Redis): Promise<void> {
  return new Promise((resolve) => redis.once('ready', resolve));
}

describeOnEachRedis('the guard on a connection that breaks', (version) => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let redis: Redis;
  let guard: Guard;
  let direct: Guard;
  let options: { namespace: string; ttlMs: number };

  beforeAll(async () => {
    server = await startTestRedis({ version });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    options = { namespace: server.namespace(), ttlMs: 100_000 };
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

  // No byte of it, the beginning, and all but the end.
  it.each([0, 7, 60])(
    'gives an attempt whose GO was cut after %d bytes the same GO again, and counts one send',
    async (bytes) => {
      proxy.cutReplyAfter(bytes);
      const go = await guard.admit(placing('a'), admitRequest());
      expect(proxy.cuts).toBe(1);
      expect(go).toMatchObject({ kind: 'GO', sends: 1 });
      expect(fenceOf(go)).toBe((await direct.record(placing('a')))?.fence);
      expect(await guard.settle(placing('a'), settleRequest({ fence: fenceOf(go) }))).toMatchObject({ kind: 'OK' });
    },
  );

  it('tells a settlement whose answer was lost that it arrived, and takes a send off once', async () => {
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    proxy.cutReplyAfter(0);
    const request = settleRequest({ fence, ending: 'release', payload: '{}', health: 'none' });
    expect(await guard.settle(placing('a'), request)).toMatchObject({ kind: 'OK', state: 'RELEASED' });
    expect(proxy.cuts).toBe(1);
    expect(await direct.record(placing('a'))).toMatchObject({ state: 'RELEASED', sends: 0, attempts: 1 });
  });

  it('fails at once while Redis is away, and the act is not claimed when Redis is back', async () => {
    const back = nextConnection(redis);
    proxy.close();
    await waitUntil(() => Promise.resolve(redis.status !== 'ready'), { timeoutMs: 5_000 });
    // Not after its time, as one that waited for the connection would.
    await expect(guard.admit(placing('a'), admitRequest())).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: expect.stringContaining("Stream isn't writeable"),
    });

    proxy.open();
    await back;
    await redis.ping();
    expect(await direct.record(placing('a'))).toBeUndefined();
  });

  it('does not send a claim any more that its caller has stopped waiting for', async () => {
    const back = nextConnection(redis);
    proxy.blackHole();
    await expect(guard.admit(placing('a'), admitRequest())).rejects.toMatchObject({ name: 'StoreUnavailableError' });

    proxy.open();
    await back;
    // Answers come in the order of the commands: whatever was sent again came before this one.
    await redis.ping();
    expect(await direct.record(placing('a'))).toBeUndefined();
    expect(await guard.admit(placing('a'), admitRequest({ nonce: 'n2' }))).toMatchObject({ kind: 'GO', sends: 1 });
  });

  it('gives many attempts at once each its own GO when the connection is cut in the middle of their answers', async () => {
    const intents = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    proxy.cutReplyAfter(1_000);
    const answers = await Promise.all(
      intents.map((id) =>
        guard.admit(placing(id), admitRequest({ owner: { activity: id, attempt: 1, nonce: `n-${id}` } })),
      ),
    );
    expect(proxy.cuts).toBe(1);
    for (const [i, id] of intents.entries()) {
      expect(fenceOf(answers[i]!)).toBe((await direct.record(placing(id)))?.fence);
      expect(await direct.record(placing(id))).toMatchObject({ state: 'CLAIMED', owner: id, sends: 1, attempts: 1 });
    }
  });

  it('claims once when Redis had forgotten the script and its saying so was lost', async () => {
    await server.admin.script('FLUSH');
    proxy.cutReplyAfter(0);
    expect(await guard.admit(placing('a'), admitRequest())).toMatchObject({ kind: 'GO', sends: 1 });
    expect(proxy.cuts).toBe(1);
    expect(await direct.record(placing('a'))).toMatchObject({ sends: 1, attempts: 1 });
  });

  it('gives up a connection on which Redis has gone without a word, and goes on with a new one', async () => {
    const back = nextConnection(redis);
    proxy.silence();
    await expect(guard.admit(placing('a'), admitRequest())).rejects.toMatchObject({ name: 'StoreUnavailableError' });
    await back;
    expect(await guard.admit(placing('b'), admitRequest())).toMatchObject({ kind: 'GO' });
    expect(await direct.record(placing('a'))).toBeUndefined();
  });

  it('leaves a primary that has become a replica for the one that its address leads to by then', async () => {
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    const promoted = await startTestRedis({ version, extraArgs: ['--repl-diskless-sync-delay', '0'] });
    try {
      await promoted.admin.replicaof('127.0.0.1', server.port);
      while (!(await promoted.admin.info('replication')).includes('master_link_status:up')) await sleep(50);
      await promoted.admin.replicaof('NO', 'ONE');
      await server.admin.replicaof('127.0.0.1', promoted.port);
      proxy.aim(promoted.port);
      const back = nextConnection(redis);

      await expect(guard.settle(placing('a'), settleRequest({ fence }))).rejects.toMatchObject({
        name: 'StoreUnavailableError',
        message: expect.stringContaining('READONLY'),
      });
      await back;
      expect(await guard.settle(placing('a'), settleRequest({ fence }))).toMatchObject({ kind: 'OK', state: 'DONE' });
      const there = await promoted.connect();
      expect(await new Guard(there, options).record(placing('a'))).toMatchObject({ state: 'DONE' });
    } finally {
      await server.admin.replicaof('NO', 'ONE');
      await promoted.stop();
    }
  });
});

it('the guard goes on over a restart of Redis: the scripts come anew, the claims are still there', async () => {
  const server = await startTestRedis({ durable: true });
  try {
    const redis = await server.connect();
    const guard = new Guard(redis, { namespace: server.namespace(), ttlMs: 100_000 });
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    const back = nextConnection(redis);
    server.kill();
    await server.restart();
    await back;
    expect(await guard.settle(placing('a'), settleRequest({ fence }))).toMatchObject({ kind: 'OK', state: 'DONE' });
    expect(await guard.admit(placing('b'), admitRequest())).toMatchObject({ kind: 'GO' });
  } finally {
    await server.stop();
  }
});
