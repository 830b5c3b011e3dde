import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { Guard } from '../../src/guard/guard';
import { connectRedis } from '../../src/redis/client';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import type { TestRedis } from '../support/redis';
import { startTestSentinel, type TestSentinel } from '../support/redis-sentinel';

describe('the guard on a primary that a Sentinel names', () => {
  let sentinel: TestSentinel;
  let redis: Redis;
  let guard: Guard;
  const acted: string[] = [];

  beforeAll(async () => {
    sentinel = await startTestSentinel();
    redis = (await connectRedis(sentinel.settings)) as Redis;
    guard = new Guard(redis, { namespace: 'idempotency', ttlMs: 100_000 });
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
  }, 60_000);
  afterAll(async () => {
    redis?.disconnect();
    await sentinel?.stop();
  });

  async function act(intentId: string): Promise<void> {
    const fence = fenceOf(await guard.admit(placing(intentId), admitRequest()));
    expect(await guard.settle(placing(intentId), settleRequest({ fence }))).toMatchObject({ kind: 'OK' });
    acted.push(intentId);
  }
  /** Where the guard's connection ends, once it has one. */
  async function server(): Promise<number | undefined> {
    const info = await redis.info('server').catch(() => '');
    return Number(/tcp_port:(\d+)/.exec(info)?.[1]);
  }
  const untilAt = async ({ port }: TestRedis): Promise<void> => {
    while ((await server()) !== port) await sleep(50);
  };
  /** It got to the new primary, remembers every act there and goes on. */
  async function expectGoingOnAt(primary: TestRedis, intentId: string): Promise<void> {
    await untilAt(primary);
    for (const each of acted)
      expect(await guard.admit(placing(each), admitRequest())).toMatchObject({ kind: 'REPLAY' });
    await act(intentId);
    expect(await primary.admin.exists(`idempotency:{paper}:order.place:${intentId}`)).toBe(1);
    expect((await sentinel.roles()).primary).toBe(primary);
  }

  it('goes over to the new primary of a planned failover', async () => {
    const { primary, replica } = await sentinel.roles();
    await act('before');
    expect(await server()).toBe(primary.port);
    await sentinel.untilReplicated();
    await sentinel.admin.call('SENTINEL', 'FAILOVER', 'orders');
    await expectGoingOnAt(replica, 'after a planned one');
  });

  it('goes over when the primary dies', async () => {
    await sentinel.untilReplicated();
    const { primary, replica } = await sentinel.roles();
    primary.kill();
    await expectGoingOnAt(replica, 'after a kill');
    await primary.restart();
    await primary.admin.replicaof('127.0.0.1', replica.port);
  });

  it('leaves an old primary that its Sentinels cannot reach, although it goes on answering', async () => {
    await sentinel.untilReplicated();
    const { primary, replica } = await sentinel.roles();
    // Sentinel and replica come as the default user; the guard does not.
    await primary.admin.call('ACL', 'SETUSER', 'default', 'off');
    await primary.admin.call('CLIENT', 'KILL', 'USER', 'default', 'SKIPME', 'yes');
    await act('on the old one');
    await untilAt(replica);
    expect((await primary.admin.role())[0]).toBe('master');
    // Nothing of that act is known here: nothing may leave unseen.
    const asked = await guard.admit(placing('on the old one'), admitRequest());
    expect(asked).toMatchObject({ kind: 'UNKNOWN', suspected: 'Redis has gone back in time' });
  });

  it('says what a Sentinel answered when it does not help', async () => {
    const { sentinel: own } = sentinel.settings;
    const unknown = connectRedis(
      { ...sentinel.settings, sentinel: { ...own!, name: 'nobody' } },
      { connectTimeoutMs: 500 },
    );
    await expect(unknown).rejects.toThrow(
      /cannot reach Redis at "nobody" of the Sentinels redis:.*No such master with that name/,
    );
    const refused = connectRedis(
      { ...sentinel.settings, sentinel: { ...own!, password: 'hush' } },
      { connectTimeoutMs: 500 },
    );
    await expect(refused).rejects.toThrow(/WRONGPASS/);
    await expect(refused).rejects.not.toThrow('hush');
  });
});
