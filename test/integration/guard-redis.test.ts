import type { Redis } from 'ioredis';
import pino from 'pino';
import { loadConfig } from '../../src/config/load';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import { openServices } from '../../src/worker/services';
import { admitRequest, breaker, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';

const TTL_MS = 259_200_000;

describeOnEachRedis('the guard', (version) => {
  let server: TestRedis;
  let redis: Redis;
  let namespace: string;
  let guard: Guard;
  let keys: ReturnType<typeof guardKeys>;

  beforeAll(async () => {
    server = await startTestRedis({ version });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    redis = await server.connect();
    namespace = server.namespace();
    guard = new Guard(redis, { namespace, ttlMs: TTL_MS });
    keys = guardKeys(namespace);
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
  });
  afterEach(async () => {
    await server.admin.config('SET', 'maxmemory', '0');
    await server.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await server.admin.flushall();
    redis.disconnect();
  });

  /** Calls per command since the statistics were reset. */
  async function calls(): Promise<Map<string, number>> {
    const text = await server.admin.info('commandstats');
    const rows = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
    return new Map(rows.map(([, name = '', count]) => [name, Number(count)]));
  }

  it('takes two round trips and at most 8 commands for an effect that nothing disturbs, its breaker included', async () => {
    const warm = fenceOf(await guard.admit(placing('warm'), admitRequest()));
    await guard.settle(placing('warm'), settleRequest({ fence: warm }));
    await server.admin.config('RESETSTAT');

    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    await guard.settle(placing('a'), settleRequest({ fence }));

    const counted = await calls();
    expect(counted.get('evalsha')).toBe(2);
    const theirs = ['evalsha', 'config', 'config|resetstat', 'info'];
    const inside = [...counted].filter(([name]) => !theirs.includes(name));
    expect(inside.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(8);
    process.stdout.write(
      `commands of an effect on Redis ${version}: ${inside.map(([name, count]) => `${count} ${name}`).join(', ')}\n`,
    );
  });

  it('keeps a finished effect in at most 350 bytes beside its result', async () => {
    const ref = placing('f47ac10b-58cc-4372-a567-0e02b2c3d479');
    const activity = `order:${ref.intentId}/018c2f6e-7b1a-7c3e-9f00-1234567890ab/1`;
    const fingerprint = '1:abcdefghijklmnopqrstuv';
    const request = admitRequest({ fingerprint, owner: { activity, attempt: 1, nonce: 'cafebabe' } });
    const payload = JSON.stringify({ orderId: '1', text: 'x'.repeat(200) });
    await guard.settle(ref, settleRequest({ fence: fenceOf(await guard.admit(ref, request)), payload }));

    const bytes = Number(await server.admin.memory('USAGE', keys.record(ref)));
    process.stdout.write(`bytes of a finished key less its result on Redis ${version}: ${bytes - payload.length}\n`);
    expect(bytes - payload.length).toBeLessThanOrEqual(350);
  });

  /** From here on Redis has no memory for anything new. */
  async function fill(): Promise<void> {
    for (let i = 0; i < 50; i += 1) await server.admin.set(`filler:${i}`, 'x'.repeat(10_000));
    await server.admin.config('SET', 'maxmemory', '100000');
  }

  it('refuses new acts when Redis is full, and still writes down the ones that end', async () => {
    const fence = fenceOf(await guard.admit(placing('under-way'), admitRequest()));
    const lost = fenceOf(await guard.admit(placing('refused-by-venue'), admitRequest()));
    await fill();

    await expect(guard.admit(placing('new'), admitRequest())).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: expect.stringContaining('OOM'),
    });
    expect(await guard.record(placing('new'))).toBeUndefined();

    const done = await guard.settle(placing('under-way'), settleRequest({ fence }));
    expect(done).toMatchObject({ kind: 'OK', state: 'DONE' });
    const rejected = await guard.settle(
      placing('refused-by-venue'),
      settleRequest({ fence: lost, ending: 'reject', payload: '{"category":"FUNDS"}' }),
    );
    expect(rejected).toMatchObject({ kind: 'OK', state: 'REJECTED' });
    expect(await guard.admit(placing('under-way'), admitRequest())).toMatchObject({
      kind: 'REPLAY',
      payload: { orderId: '1' },
    });
    expect(await guard.unresolvedCount('paper')).toBe(0);
  });

  it('writes down a doubt when Redis is full, and what the looks and a person find out about it', async () => {
    const ref = placing('in-doubt');
    const fence = fenceOf(await guard.admit(ref, admitRequest()));
    await fill();

    const evidence = JSON.stringify({ why: 'x'.repeat(500) });
    const doubt = await guard.settle(ref, settleRequest({ fence, ending: 'doubt', payload: evidence, health: 'fail' }));
    expect(doubt).toMatchObject({ kind: 'OK', state: 'UNKNOWN' });
    expect(await guard.record(ref)).toMatchObject({ state: 'UNKNOWN', payload: JSON.parse(evidence) as unknown });
    expect((await guard.unresolved('paper')).map(({ ref: each }) => each.intentId)).toEqual(['in-doubt']);

    const request = { looker: 'l', givenUp: '', fingerprint: '1:aa', leaseMs: 1_000, quiesceMs: 1_000, mostLooks: 5 };
    const absence = { quiesceMs: 1_000, looks: 2, gapMs: 2_000 };
    for (const verdict of ['absent', 'manual'] as const) {
      const look = await guard.lookBegin(ref, { ...request, refusal: '' });
      if (look.kind !== 'LOOK') throw new Error(look.kind);
      const seen = JSON.stringify({ evidence: verdict });
      const end = await guard.lookEnd(ref, { fence: look.fence, verdict, payload: seen, absence });
      expect(end.kind).toBe(verdict === 'absent' ? 'AGAIN' : 'MANUAL');
      expect(await guard.record(ref)).toMatchObject({ payload: { evidence: verdict } });
    }
    const decision = { decision: 'rejected', payload: '{}', actor: 'ada', reason: 'seen', venueShows: '' } as const;
    expect(await guard.resolve(ref, decision)).toMatchObject({ kind: 'OK', state: 'REJECTED' });
    expect(await server.admin.xlen(keys.audit('paper'))).toBe(1);
    expect(await guard.unresolvedCount('paper')).toBe(0);
  });

  it('goes on after Redis lost its script cache', async () => {
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    await server.admin.script('FLUSH');
    expect(await guard.settle(placing('a'), settleRequest({ fence }))).toMatchObject({ kind: 'OK', state: 'DONE' });
    await server.admin.script('FLUSH');
    expect(await guard.admit(placing('b'), admitRequest())).toMatchObject({ kind: 'GO' });
  });

  it('is refused a Redis that evicts, and the setting to change is named', async () => {
    for (const policy of ['volatile-lru', 'allkeys-lru', 'volatile-ttl']) {
      await server.admin.config('SET', 'maxmemory-policy', policy);
      const config = loadConfig({ env: {}, flags: { redis: { url: server.url } } });
      const opened = openServices(config, pino({ enabled: false }));
      await expect(opened).rejects.toMatchObject({ name: 'UnsafeRedisError' });
      await expect(opened).rejects.toThrow(`maxmemory-policy is ${policy}`);
      await expect(opened).rejects.toThrow('CONFIG SET maxmemory-policy noeviction');
    }
  });

  it('touches no key outside its namespace', async () => {
    await expect(redis.get('elsewhere')).rejects.toThrow('NOPERM');
    const ref = placing('a');
    const fence = fenceOf(await guard.admit(ref, admitRequest()));
    await guard.settle(ref, settleRequest({ fence, ending: 'doubt', health: 'fail' }));
    const look = await guard.lookBegin(ref, {
      looker: 'l',
      givenUp: '',
      fingerprint: '1:aa',
      leaseMs: 1_000,
      quiesceMs: 1_000,
      mostLooks: 5,
      refusal: '',
    });
    if (look.kind !== 'LOOK') throw new Error(look.kind);
    const absence = { quiesceMs: 1_000, looks: 2, gapMs: 2_000 };
    await guard.lookEnd(ref, { fence: look.fence, verdict: 'manual', payload: '{}', absence });
    const decision = { decision: 'done', payload: '{}', actor: 'ada', reason: 'seen', venueShows: '' } as const;
    expect(await guard.resolve(ref, decision)).toMatchObject({ kind: 'OK' });
    expect(await guard.unresolved('paper')).toEqual([]);
    await guard.breakers.read('paper', ['venue', 'order.place']);

    expect((await server.admin.keys('*')).filter((key) => !key.startsWith(`${namespace}:{paper}:`))).toEqual([]);
  });

  it('writes one audit row for a decision of a person, with who and why', async () => {
    const ref = placing('a');
    const request = admitRequest({ attempt: 2 });
    expect(await guard.admit(ref, request)).toMatchObject({ kind: 'UNKNOWN' });
    const early = await guard.resolve(ref, {
      decision: 'absent',
      payload: '{}',
      actor: 'ada',
      reason: 'guess',
      venueShows: '',
    });
    expect(early).toEqual({ kind: 'REFUSED', state: 'UNKNOWN' });
    const look = await guard.lookBegin(ref, {
      looker: 'l',
      givenUp: '',
      fingerprint: '1:aa',
      leaseMs: 1_000,
      quiesceMs: 1_000,
      mostLooks: 5,
      refusal: '',
    });
    if (look.kind !== 'LOOK') throw new Error(look.kind);
    const absence = { quiesceMs: 1_000, looks: 2, gapMs: 2_000 };
    await guard.lookEnd(ref, { fence: look.fence, verdict: 'manual', payload: '{}', absence });
    await guard.resolve(ref, {
      decision: 'rejected',
      payload: '{}',
      actor: 'ada',
      reason: 'venue support said no',
      venueShows: '',
    });

    const rows = await server.admin.xrange(keys.audit('paper'), '-', '+');
    expect(rows).toHaveLength(1);
    const fields = rows[0]?.[1].join(' ');
    expect(fields).toContain('decision rejected actor ada reason venue support said no');
    expect(fields).toContain('intent order.place:a');
  });

  it('lists the open doubts of a venue, the longest waiting first', async () => {
    await guard.admit(placing('released'), admitRequest());
    await guard.admit(placing('late'), admitRequest({ attempt: 2, quiesceMs: 50_000 }));
    await guard.admit(placing('soon'), admitRequest({ attempt: 2, quiesceMs: 1_000 }));
    const open = await guard.unresolved('paper');
    expect(open.map(({ ref }) => ref.intentId)).toEqual(['soon', 'released', 'late']);
    expect(open[0]?.record.state).toBe('UNKNOWN');
  });

  it('lets many workers ask for one intent at once and says GO to one of them', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        guard.admit(placing('a'), admitRequest({ owner: { activity: `w${i}`, attempt: 1, nonce: `n${i}` } })),
      ),
    );
    const kinds = answers.map(({ kind }) => kind).sort();
    expect(kinds.filter((kind) => kind === 'GO')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'BUSY')).toHaveLength(99);
  });

  it('keeps counting calls whose clocks fall on both sides of a slot boundary', async () => {
    // Two workers settle around the boundary of a slot: the one a little behind must not wipe out what the other counted.
    const slotMs = breaker.windowMs / 10;
    const fences = [];
    for (let i = 0; i < 20; i += 1) fences.push(fenceOf(await guard.admit(placing(`i${i}`), admitRequest())));
    const nextSlotIn = slotMs - ((Number(fences[0]) / 1_000) % slotMs);
    for (const [i, fence] of fences.entries()) {
      const elapsedMs = nextSlotIn + (i % 2 === 0 ? 500 : -500);
      await guard.settle(placing(`i${i}`), settleRequest({ fence, ending: 'release', health: 'fail', elapsedMs }));
    }
    const standings = await guard.breakers.read('paper', ['order.place']);
    expect(standings.at(-1)).toMatchObject({ level: 'order.place', breaker: { state: 'OPEN' } });
  });
});
