import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from 'ioredis';
import pino from 'pino';
import { NO_OVERRIDE } from '../../src/breaker/override';
import { checkRedisService } from '../../src/cli/doctor-redis';
import { loadConfig } from '../../src/config/load';
import { waitUntil } from '../../src/dev/wait-until';
import { Guard } from '../../src/guard/guard';
import type { IntentRef } from '../../src/guard/keys';
import type { RedisConnection } from '../../src/redis/client';
import { ReplicatedAdmissions } from '../../src/redis/replicated';
import { openServices, type Services } from '../../src/worker/services';
import { admitRequest, fenceOf, settleRequest } from '../support/guard-requests';
import { USER } from '../support/redis';
import { startTestCluster, type TestCluster } from '../support/redis-cluster';

const VENUES = ['paper', 'binance', 'kraken', 'coinbase', 'okx', 'bybit'];

describe('the guard on a Redis Cluster of three primaries', () => {
  let cluster: TestCluster;
  let redis: RedisConnection;
  let namespace: string;
  let guard: Guard;

  beforeAll(async () => {
    cluster = await startTestCluster();
  }, 60_000);
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    redis = await cluster.connect();
    namespace = cluster.nodes[0]!.namespace();
    guard = new Guard(redis, { namespace, ttlMs: 100_000 });
    for (const venue of VENUES) await guard.store.open(venue, { quiesceMs: 18_000, neverUsed: true });
  });
  afterEach(() => redis.disconnect());

  const placing = (venue: string, intentId = 'a'): IntentRef => ({ venue, jobType: 'order.place', intentId });
  async function act(ref: IntentRef): Promise<void> {
    const fence = fenceOf(await guard.admit(ref, admitRequest()));
    expect(await guard.settle(ref, settleRequest({ fence }))).toMatchObject({ kind: 'OK', state: 'DONE' });
  }
  const configured = () =>
    loadConfig({
      env: {},
      flags: {
        redis: cluster.settings,
        retry: { redis: { namespace } },
        venues: Object.fromEntries(
          VENUES.map((name) => [
            name,
            { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' },
          ]),
        ),
      },
    });

  it('keeps all of a venue on one node and the venues on all nodes, and acts once for each', async () => {
    const holders = await Promise.all(VENUES.map((venue) => cluster.holderOf(venue)));
    expect(new Set(holders.map(({ node }) => node.port)).size).toBe(3);
    for (const venue of VENUES) {
      await act(placing(venue));
      await guard.admit(placing(venue, 'b'), admitRequest());
      expect(await guard.admit(placing(venue), admitRequest())).toMatchObject({ kind: 'REPLAY' });
      expect((await guard.unresolved(venue)).map(({ ref }) => ref)).toEqual([placing(venue, 'b')]);
      expect((await guard.breakers.read(venue, ['order.place'])).at(-1)?.breaker.calls).toBeGreaterThan(0);
    }
    expect(Math.abs((await guard.now()) - Date.now())).toBeLessThan(60_000);
  });

  it('obeys what people order of a venue on the node that has it', async () => {
    const kill = { ...NO_OVERRIDE, number: 1, kill: true, killedBy: 'ada', killReason: 'drill', forMs: 0, rows: [] };
    for (const venue of VENUES) {
      expect(await guard.breakers.order(venue, 'all', kill)).toMatchObject({ kind: 'OK' });
      expect(await guard.admit(placing(venue), admitRequest())).toMatchObject({ kind: 'OPEN', level: 'all' });
      const open = { ...kill, kill: false, force: 'open', forMs: 60_000, rows: [{ number: 1, text: 'row' }] } as const;
      expect(await guard.breakers.order(venue, 'order.place', open)).toMatchObject({ kind: 'OK' });
      expect(await guard.breakers.order(venue, 'all', { ...kill, number: 2, kill: false })).toMatchObject({
        kind: 'OK',
      });
      expect(await guard.admit(placing(venue), admitRequest())).toMatchObject({ kind: 'OPEN', level: 'order.place' });
    }
  });

  it('goes on when every node has lost its script cache', async () => {
    for (const venue of VENUES) await act(placing(venue, 'before'));
    for (const { admin } of cluster.nodes) await admin.script('FLUSH');
    for (const venue of VENUES) await act(placing(venue, 'after'));
  });

  it('lets claims of several venues wait for replicas at once, each at its own node', async () => {
    for (const { admin } of cluster.nodes) await admin.call('ACL', 'SETUSER', USER, '+wait');
    const options = { waitFor: 1, timeoutMs: 20, toDisk: () => false };
    const replicated = new ReplicatedAdmissions(await cluster.connect(), options);
    const patient = new Guard(redis, { namespace, ttlMs: 100_000, replicated });
    const refs = VENUES.flatMap((venue) => ['a', 'b'].map((intentId) => placing(venue, intentId)));
    const claims = await Promise.all(refs.map((ref) => patient.admit(ref, admitRequest({ replicate: true }))));
    // This cluster has none.
    const unsafe = expect.objectContaining({
      kind: 'GO',
      missing: '0 of 1 replicas had the claim after 20 ms',
    }) as object;
    expect(claims).toEqual(refs.map(() => unsafe));
  });

  it('gives an attempt whose connection broke the same GO again', async () => {
    await act(placing('paper', 'warm'));
    const { node } = await cluster.holderOf('paper');
    const own = (redis as Cluster).nodes('master').find(({ options }) => options.port === node.port)!;
    // Redis runs what it has read; the answer finds nobody.
    own.stream.pause();
    const asked = guard.admit(placing('paper'), admitRequest());
    const direct = new Guard(node.admin, { namespace, ttlMs: 100_000 });
    while ((await direct.record(placing('paper'))) === undefined) await sleep(10);
    own.stream.destroy();
    const go = await asked;
    expect(go).toMatchObject({ kind: 'GO', sends: 1 });
    expect(fenceOf(go)).toBe((await direct.record(placing('paper')))?.fence);
  });

  it('follows the keys of a venue to another node; while they move, new acts are refused and old ones answered', async () => {
    const { node: from, slot } = await cluster.holderOf('paper');
    const to = cluster.nodes.find((each) => each !== from)!;
    await act(placing('paper', 'old'));
    await guard.admit(placing('paper', 'open'), admitRequest());
    const [fromId, toId] = await Promise.all([from, to].map(({ admin }) => admin.cluster('MYID')));
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
    const keys = (await from.admin.cluster('GETKEYSINSLOT', slot, 1_000)) as string[];
    await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    expect(await guard.admit(placing('paper', 'old'), admitRequest())).toMatchObject({ kind: 'REPLAY' });
    await expect(guard.admit(placing('paper', 'new'), admitRequest())).rejects.toMatchObject({
      name: 'StoreUnavailableError',
    });

    for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
    expect(await guard.record(placing('paper', 'new'))).toBeUndefined();
    await act(placing('paper', 'new'));
    expect(await guard.admit(placing('paper', 'old'), admitRequest())).toMatchObject({ kind: 'REPLAY' });
    expect((await guard.unresolved('paper')).map(({ ref }) => ref.intentId)).toEqual(['open']);
    expect((await cluster.holderOf('paper')).node).toBe(to);
  });

  describe('as a worker has it', () => {
    let services: Services;
    beforeEach(async () => {
      services = await openServices(configured(), pino({ enabled: false }));
    });
    afterEach(() => services.close());
    const isUp = async (): Promise<boolean> => {
      await services.refreshMetrics();
      return /^fillsafe_redis_up 1$/m.test(await services.metrics.registry.metrics());
    };

    it('counts as one Redis, for its metrics and for the doctor', async () => {
      expect(await isUp()).toBe(true);
      const findings = await checkRedisService(configured());
      expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    });

    it('fails in time while a node is gone, claims nothing later, and goes on when it is back', async () => {
      const { node } = await cluster.holderOf('paper');
      await act(placing('paper', 'before'));
      node.kill();
      await expect(guard.admit(placing('paper'), admitRequest())).rejects.toMatchObject({
        name: 'StoreUnavailableError',
      });
      const others = cluster.nodes.filter((each) => each !== node);
      await cluster.untilState('fail', others);
      expect(await isUp()).toBe(false);

      await node.restart();
      await cluster.untilState('ok');
      const before = () => guard.record(placing('paper', 'before')).catch(() => undefined);
      expect(await waitUntil(async () => (await before()) !== undefined, { timeoutMs: 20_000 })).toBe(true);
      expect(await guard.record(placing('paper'))).toBeUndefined();
      await act(placing('paper'));
      expect(await isUp()).toBe(true);
    });

    it('notices a node that came back without its keys before anything acts there', async () => {
      const { node } = await cluster.holderOf('paper');
      await services.runtime.guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
      node.kill();
      await node.restart((dir) => rmSync(join(dir, 'appendonlydir'), { recursive: true }));
      await cluster.untilState('ok');
      const page = async (): Promise<string> => {
        await services.refreshMetrics();
        return services.metrics.registry.metrics();
      };
      const isSuspected = async () => /^fillsafe_store_suspected\{venue="paper"\} 1$/m.test(await page());
      expect(await waitUntil(isSuspected, { timeoutMs: 20_000 })).toBe(true);
    });
  });

  it('says which nodes it asked when none answers, and when the password is wrong, without it', async () => {
    const wrong = cluster.connect({ password: 'hush' });
    await expect(wrong).rejects.toThrow(/the cluster of redis:\/\/127.0.0.1:\d+, .*WRONGPASS/);
    await expect(wrong).rejects.not.toThrow('hush');
    const nobody = cluster.connect({ cluster: ['redis://127.0.0.1:1'] });
    await expect(nobody).rejects.toThrow(/the cluster of redis:\/\/127.0.0.1:1: .*ECONNREFUSED/);
  });
});
