import type { Redis } from 'ioredis';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import { effectHarness } from '../support/effect-harness';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';

const TTL_MS = 100_000;

describeOnEachRedis('workers of two releases on one Redis', (version) => {
  let server: TestRedis;
  let namespace: string;
  let ours: Redis;

  beforeAll(async () => {
    server = await startTestRedis({ version });
    ours = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    namespace = server.namespace();
  });

  /** A guard whose scripts have another text, hence another SHA. */
  async function ofAnotherRelease(): Promise<Guard> {
    const redis = await server.connect();
    const define = redis.defineCommand.bind(redis);
    redis.defineCommand = (name, { lua = '' }) => define(name, { lua: `-- of another release\n${lua}` });
    return new Guard(redis, { namespace, ttlMs: TTL_MS });
  }

  it('act on the same records side by side, each by its own scripts, at two round trips an effect', async () => {
    const guards = [new Guard(ours, { namespace, ttlMs: TTL_MS }), await ofAnotherRelease()];
    await guards[0]!.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    const effects = async (name: string): Promise<void> => {
      for (const [i, first] of guards.entries()) {
        const second = guards[1 - i]!;
        const ref = placing(`${name}-${i}`);
        const fence = fenceOf(await first.admit(ref, admitRequest()));
        const other = admitRequest({ owner: { activity: 'order:b/run/1', attempt: 1, nonce: 'n1' } });
        expect(await second.admit(ref, other)).toMatchObject({ kind: 'BUSY' });
        expect(await second.settle(ref, settleRequest({ fence }))).toMatchObject({ kind: 'OK', state: 'DONE' });
        expect(await first.admit(ref, other)).toMatchObject({ kind: 'REPLAY', payload: { orderId: '1' } });
      }
    };
    await effects('loads');
    await server.admin.config('RESETSTAT');
    await effects('acts');
    const stats = await server.admin.info('commandstats');
    expect(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1]).toBe('8');
    expect(stats).not.toMatch(/^cmdstat_eval:/m);
  });

  it.each([
    ['record', 'record version 2 is newer than this worker'],
    ['store', 'store version 2 is newer than this worker'],
  ] as const)('leave a %s that is written in a later form to those that can read it', async (what, words) => {
    const job = effectHarness(ours, { namespace });
    await job.open();
    const keys = guardKeys(namespace);
    const key = what === 'record' ? keys.record(placing('f1')) : keys.store('paper');
    const later = `2\n${'\n'.repeat(20)}`;
    await server.admin.set(key, later);

    // Not as if Redis were away, where what acting twice cannot harm would go on.
    for (const jobType of what === 'record' ? (['order.place'] as const) : (['order.place', 'order.cancel'] as const)) {
      const end = await job.attempt({ jobType });
      expect(end.failure).toMatchObject({ type: 'INTERNAL', nonRetryable: false });
      expect(end.failure?.message).toContain(words);
    }
    expect(job.seen.sends).toBe(0);
    expect(await server.admin.get(key)).toBe(later);
  });
});
