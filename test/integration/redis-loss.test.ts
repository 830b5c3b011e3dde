import { truncateSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { waitUntil } from '../../src/dev/wait-until';
import { guardKeys } from '../../src/guard/keys';
import { rewrite, shiftRecord, shiftStore } from '../model/shift-time';
import { effectHarness, ORDER } from '../support/effect-harness';
import { admitRequest, fenceOf, placing } from '../support/guard-requests';
import { appendOnlyFile, startTestRedis, type TestRedis } from '../support/redis';
import { scriptedVenue } from '../support/scripted-venue';
import { startTcpProxy } from '../support/tcp-proxy';

const QUIESCE_MS = 18_000;
const order = (intentId: string) => ({ ...ORDER, intentId });
const refused = (): Promise<never> => Promise.reject(new Error('must not act'));
const open = (redis: Redis): Promise<boolean> =>
  waitUntil(() => Promise.resolve(redis.status === 'ready'), { timeoutMs: 20_000 });

describe('a Redis that loses, rolls back or refuses data', () => {
  const stops: (() => Promise<void>)[] = [];
  let namespace: string;
  let venue: ReturnType<typeof scriptedVenue>;

  beforeEach(() => {
    venue = scriptedVenue();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function aServer(...extraArgs: string[]): Promise<TestRedis> {
    const server = await startTestRedis({ durable: true, extraArgs });
    stops.push(() => server.stop());
    namespace = server.namespace();
    return server;
  }
  async function aWorker(server: TestRedis, options?: Parameters<TestRedis['connect']>[0]) {
    const redis = await server.connect(options);
    const worker = venue.serve(effectHarness(redis, { namespace }));
    redis.on('ready', () => worker.guard.store.compare());
    return { redis, ...worker };
  }
  /** Kill -9, and back on the same files, of which everything after `bytes` is cut off. */
  async function backWithout(server: TestRedis, redis: Redis, bytes?: number): Promise<void> {
    server.kill();
    await server.restart((dir) => {
      if (bytes !== undefined) truncateSync(appendOnlyFile(dir), bytes);
    });
    await open(redis);
  }
  async function timePasses(server: TestRedis, ms: number, intentId?: string): Promise<void> {
    const keys = guardKeys(namespace);
    await rewrite(server.admin, keys.store('paper'), (raw) => shiftStore(raw, ms));
    if (intentId) await rewrite(server.admin, keys.record(placing(intentId)), (raw) => shiftRecord(raw, ms));
  }

  test.each(['everysec', 'always'])(
    'every claim that Redis acknowledged outlives a kill -9 with appendfsync %s, and no suspicion is raised',
    async (fsync) => {
      const server = await aServer('--appendfsync', fsync);
      const { guard, redis, open: openStore } = await aWorker(server);
      await openStore();
      const acknowledged = new Map<string, string>();
      const claiming = Array.from({ length: 8 }, async (_, lane) => {
        for (let i = 0; ; i++) {
          const admission = await guard.admit(placing(`${lane}-${i}`), admitRequest()).catch(() => undefined);
          if (!admission) return;
          acknowledged.set(`${lane}-${i}`, fenceOf(admission));
        }
      });
      await waitUntil(() => Promise.resolve(acknowledged.size >= 200), { timeoutMs: 20_000 });
      server.kill();
      await Promise.all(claiming);
      await server.restart();
      await open(redis);
      const kept = await Promise.all([...acknowledged.keys()].map((intentId) => guard.record(placing(intentId))));
      expect(kept.map((record) => record?.fence)).toEqual([...acknowledged.values()]);
      expect(await guard.store.open('paper', { quiesceMs: QUIESCE_MS })).toMatchObject({ suspected: '' });
    },
  );

  test.each([
    ['its last byte', 1],
    ['half of the claim', 0.5],
    ['the whole claim', 0],
  ])(
    'an append-only file that lost %s: the claim is noticed to be gone, and looked up, never given twice',
    async (_what, part) => {
      const server = await aServer();
      const worker = await aWorker(server);
      const { redis, attempt } = worker;
      await attempt({ input: order('before'), act: venue.take('before') });
      const from = server.writtenBytes();
      let second: Awaited<ReturnType<typeof attempt>> | undefined;
      const first = await attempt({
        input: order('lost'),
        act: venue.take('lost', async () => {
          const to = server.writtenBytes();
          expect(to).toBeGreaterThan(from);
          await backWithout(server, redis, part === 1 ? to - 1 : from + Math.floor((to - from) * part));
          second = await attempt({ input: order('lost'), runId: 'run-2', act: refused });
        }),
      });
      expect(second?.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
      expect(second?.failure?.message).toContain('Redis has gone back in time');
      // The one that acted finds a record that does not know its claim: it does not overrule it, it asks as well.
      expect(first.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });

      const answers = [await venue.look(worker, 'lost', { runId: 'run-2' }), await venue.look(worker, 'lost')];
      for (const answer of answers)
        expect(answer).toMatchObject({ outcome: 'done', result: { order: { orderId: '2' } } });
      expect(venue.taken).toEqual(['before', 'lost']);
      // What is complete is answered as ever.
      expect((await attempt({ input: order('before'), runId: 'run-2', act: refused })).result).toMatchObject({
        replayed: true,
        order: { orderId: '1' },
      });
    },
  );

  it('answers the truth by a look-up when the claim was lost between GO and the settlement', async () => {
    const server = await aServer();
    const worker = await aWorker(server);
    const emptied = await worker.attempt({ act: venue.take('f1', () => server.admin.flushall()) });
    expect(emptied.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(await worker.guard.store.read('paper')).toMatchObject({ suspected: 'a settled act found its claim gone' });
    expect(await venue.look(worker, 'f1')).toMatchObject({ outcome: 'done', result: { order: { orderId: '1' } } });

    const bytes = server.writtenBytes();
    const rolledBack = await worker.attempt({
      input: order('f2'),
      act: venue.take('f2'),
    });
    // While the store is suspected nothing leaves unseen; a person ends that.
    expect(rolledBack.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN' });
    expect(bytes).toBeLessThan(server.writtenBytes());
    await worker.guard.store.trust('paper', { actor: 'ops', reason: 'the test emptied it' });
    const from = server.writtenBytes();
    const cut = await worker.attempt({
      input: order('f3'),
      act: venue.take('f3', () => backWithout(server, worker.redis, from)),
    });
    expect(cut.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(await worker.guard.store.read('paper')).toMatchObject({ suspected: 'a settled act found its claim gone' });
    expect(await venue.look(worker, 'f3')).toMatchObject({ outcome: 'done', result: { order: { orderId: '2' } } });
    expect(venue.taken).toEqual(['f1', 'f3']);
  });

  it('notices a replica that was promoted without the last claims, and gives none of them a second GO', async () => {
    const primary = await aServer('--repl-diskless-sync-delay', '0');
    const replica = await startTestRedis({ durable: true });
    stops.push(() => replica.stop());
    const proxy = await startTcpProxy(primary.port);
    stops.push(() => proxy.stop());
    const worker = await aWorker(primary, { port: proxy.port });
    await replica.admin.replicaof('127.0.0.1', primary.port);
    await worker.attempt({ input: order('before'), act: venue.take('before') });
    await waitUntil(async () => (await primary.admin.wait(1, 1_000)) === 1, { timeoutMs: 20_000 });

    // Keeps what it has and hears of nothing more.
    await replica.admin.replicaof('127.0.0.1', 1);
    for (const id of ['lost-1', 'lost-2']) {
      expect((await worker.attempt({ input: order(id), act: venue.take(id) })).result).toBeDefined();
    }
    primary.kill();
    await waitUntil(() => Promise.resolve(worker.redis.status !== 'ready'), { timeoutMs: 20_000 });
    await replica.admin.replicaof('NO', 'ONE');
    proxy.leadTo(replica.port);
    await open(worker.redis);

    for (const [id, orderId] of [
      ['lost-1', '2'],
      ['lost-2', '3'],
    ] as const) {
      const again = await worker.attempt({ input: order(id), runId: 'run-2', act: refused });
      expect(again.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
      expect(again.failure?.message).toContain('Redis has gone back in time');
      expect(await venue.look(worker, id, { runId: 'run-2' })).toMatchObject({
        outcome: 'done',
        result: { order: { orderId } },
      });
    }
    expect(venue.taken).toEqual(['before', 'lost-1', 'lost-2']);
  });

  it('settles an act when Redis lost its scripts, or was started anew, between GO and the settlement', async () => {
    const server = await aServer();
    const worker = await aWorker(server);
    const flushed = await worker.attempt({ act: venue.take('f1', () => server.admin.script('FLUSH')) });
    expect(flushed.result).toMatchObject({ status: 'done', replayed: false });
    const restarted = await worker.attempt({
      input: order('f2'),
      act: venue.take('f2', () => backWithout(server, worker.redis)),
    });
    expect(restarted.result).toMatchObject({ status: 'done', replayed: false });
    expect(worker.runtime.outbox.size).toBe(0);
    expect(await worker.record('f1')).toMatchObject({ state: 'DONE' });
    expect(await worker.record('f2')).toMatchObject({ state: 'DONE', sends: 1 });
    expect(await worker.guard.store.read('paper')).toMatchObject({ suspected: '' });
  });

  it('writes down what is under way when memory is full; what is new waits, says why and goes on when there is room', async () => {
    const server = await aServer();
    const worker = await aWorker(server);
    const done = await worker.attempt({
      act: venue.take('f1', () => server.admin.config('SET', 'maxmemory', '1')),
    });
    expect(done.result).toMatchObject({ status: 'done', replayed: false });
    expect(worker.runtime.outbox.size).toBe(0);
    expect(await worker.record()).toMatchObject({ state: 'DONE' });

    const waits = await worker.attempt({ input: order('f2'), act: refused });
    expect(waits.failure).toMatchObject({ type: 'STORE_DOWN', nonRetryable: false });
    expect(waits.failure?.message).toMatch(/^not acted: Redis refused admit: .*'maxmemory'/);
    expect(waits.heartbeats.at(-1)).toEqual({ attempt: 1, sends: 0 });
    // What was done before is still answered.
    expect((await worker.attempt({ runId: 'run-2', act: refused })).result).toMatchObject({ replayed: true });

    await server.admin.config('SET', 'maxmemory', '0');
    const heartbeatDetails = waits.heartbeats.at(-1);
    const goesOn = await worker.attempt({ input: order('f2'), attempt: 2, heartbeatDetails, act: venue.take('f2') });
    expect(goesOn.result).toMatchObject({ status: 'done', replayed: false });
    expect(venue.taken).toEqual(['f1', 'f2']);
  });

  it("uses no GO that comes after its time: the claim is nobody's, becomes a doubt and is looked up", async () => {
    const server = await aServer();
    const proxy = await startTcpProxy(server.port);
    stops.push(() => proxy.stop());
    const worker = await aWorker(server, { port: proxy.port, commandTimeoutMs: 1_000 });
    const other = await aWorker(server);
    await worker.attempt({ input: order('warm'), act: venue.take('warm') });

    proxy.holdReplies();
    const before = worker.redis.ping();
    await waitUntil(() => Promise.resolve(proxy.held === 1), { timeoutMs: 5_000 });
    const late = worker.attempt({ act: refused });
    await waitUntil(async () => (await other.record()) !== undefined, { timeoutMs: 5_000 });
    // The connection is alive, hence stays: the GO will come over it.
    proxy.letGo(1);
    await before;
    const { failure, heartbeats } = await late;
    expect(failure).toMatchObject({ type: 'STORE_DOWN', nonRetryable: false });
    await waitUntil(() => Promise.resolve(proxy.held === 1), { timeoutMs: 5_000 });
    proxy.letGo();
    expect(await worker.record()).toMatchObject({ state: 'CLAIMED', sends: 1 });
    expect(worker.redis.status).toBe('ready');
    expect(proxy.cuts).toBe(0);

    expect((await other.attempt({ runId: 'run-2', act: refused })).failure).toMatchObject({ type: 'BUSY' });
    const next = await worker.attempt({ attempt: 2, heartbeatDetails: heartbeats.at(-1), act: refused });
    expect(next.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    await expect(venue.look(worker, 'f1')).rejects.toMatchObject({ type: 'OUTCOME_UNKNOWN' });
    for (const ms of [QUIESCE_MS, 2_000]) {
      await timePasses(server, ms, 'f1');
      if (ms === QUIESCE_MS) await expect(venue.look(worker, 'f1')).rejects.toMatchObject({ type: 'OUTCOME_UNKNOWN' });
    }
    expect(await venue.look(worker, 'f1')).toMatchObject({ outcome: 'absent' });
    expect((await worker.attempt({ activityId: '3', act: venue.take('f1') })).result).toBeDefined();
    expect(venue.taken).toEqual(['warm', 'f1']);
  });

  describe('known to one worker and not to another', () => {
    /** An order that was done, and of which Redis knows nothing any more; its worker is `gone` by then, or connected again. */
    async function aLostOrder({ gone = false } = {}) {
      const server = await aServer();
      const knew = await aWorker(server);
      await knew.attempt({ input: order('before'), act: venue.take('before') });
      const bytes = server.writtenBytes();
      await knew.attempt({ input: order('lost'), act: venue.take('lost') });
      if (gone) knew.redis.disconnect();
      await backWithout(server, server.admin, bytes);
      if (!gone) await open(knew.redis);
      const unaware = await aWorker(server);
      return { server, knew, unaware };
    }
    const byAnother = { input: order('lost'), runId: 'run-2' };

    it('one that knew is enough: as soon as it is connected again every worker looks first, before any act hides the loss', async () => {
      const { unaware } = await aLostOrder();
      await waitUntil(async () => (await unaware.guard.store.read('paper'))?.suspected !== '', { timeoutMs: 20_000 });
      const again = await unaware.attempt({ ...byAnother, act: refused });
      expect(again.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
      expect(again.failure?.message).toContain('Redis has gone back in time');
      expect(await venue.look(unaware, 'lost', byAnother)).toMatchObject({
        outcome: 'done',
        result: { order: { orderId: '2' } },
      });
      expect(venue.taken).toEqual(['before', 'lost']);
    });

    it('a new worker on an emptied Redis looks first, unless it is known that no job was ever done', async () => {
      const server = await aServer();
      await (await aWorker(server)).attempt({ input: order('lost'), act: venue.take('lost') });
      await server.admin.flushall();
      const fresh = await aWorker(server);
      expect(await fresh.guard.store.open('paper', { quiesceMs: QUIESCE_MS })).toMatchObject({
        suspected: 'Redis has lost its data',
      });
      const again = await fresh.attempt({ ...byAnother, act: refused });
      expect(again.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
      expect(await venue.look(fresh, 'lost', byAnother)).toMatchObject({ outcome: 'done' });
      expect(venue.taken).toEqual(['lost']);
    });

    it('KNOWN LIMIT: a tail that is lost when no worker is left that knew it goes unnoticed, and another workflow of the intent acts again', async () => {
      const { unaware } = await aLostOrder({ gone: true });
      expect((await unaware.attempt({ ...byAnother, act: venue.take('lost') })).result).toMatchObject({
        replayed: false,
      });
      expect(venue.taken).toEqual(['before', 'lost', 'lost']);
    });

    it('KNOWN LIMIT: a lost order that nobody asked for while the suspicion lasted may be sent again by another workflow', async () => {
      const { server, knew } = await aLostOrder();
      expect((await knew.attempt({ input: order('next'), act: refused })).failure).toMatchObject({
        type: 'OUTCOME_UNKNOWN',
      });
      await timePasses(server, QUIESCE_MS);
      expect((await knew.attempt({ ...byAnother, act: venue.take('lost') })).result).toMatchObject({ replayed: false });
      expect(venue.taken).toEqual(['before', 'lost', 'lost']);
    });
  });
});
