import type { Redis } from 'ioredis';
import pino from 'pino';
import { checkRedisService } from '../../src/cli/doctor-redis';
import { loadConfig } from '../../src/config/load';
import { waitUntil } from '../../src/dev/wait-until';
import { guardKeys } from '../../src/guard/keys';
import { RedisWatch, type WatchOptions } from '../../src/redis/watch';
import { startPaperVenue } from '../../src/venues/paper/server';
import { openServices } from '../../src/worker/services';
import { CANCEL, effectHarness } from '../support/effect-harness';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { plainExpectations } from '../support/safety-options';

let server: TestRedis;
let redis: Redis;
let namespace: string;
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await startTestRedis({ durable: true });
});
afterAll(() => server.stop());
beforeEach(async () => {
  redis = await server.connect();
  namespace = server.namespace();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await policy('noeviction');
  redis.disconnect();
});

const policy = (name: string): Promise<unknown> => server.admin.config('SET', 'maxmemory-policy', name);

function watchOf(over: Partial<WatchOptions> = {}): { watch: RedisWatch; lines: [string, string][] } {
  const lines: [string, string][] = [];
  const line =
    (level: string) =>
    (...[about, text]: unknown[]): void =>
      void lines.push([level, String(text ?? about)]);
  const watch = new RedisWatch(redis, {
    ...plainExpectations,
    clocks: () => [],
    goes: () => undefined,
    ttlSeconds: 1_000,
    keyOf: (ref) => guardKeys(namespace).record(ref),
    log: { error: line('error'), warn: line('warn'), info: line('info') },
    ...over,
  });
  opened.push({ close: () => watch.stop() });
  return { watch, lines };
}

describe('a watch over Redis', () => {
  it('notices by itself when Redis stops being safe and when it is safe again, and says each once', async () => {
    let checks = 0;
    const { watch, lines } = watchOf({ everyMs: 20, onCheck: () => (checks += 1) });
    await watch.check();
    watch.start();
    expect(watch.unsafe).toBeUndefined();

    await policy('allkeys-lru');
    expect(await waitUntil(() => Promise.resolve(watch.unsafe !== undefined), { timeoutMs: 10_000 })).toBe(true);
    expect(watch.unsafe).toContain('CONFIG SET maxmemory-policy noeviction');
    const seen = checks;
    expect(await waitUntil(() => Promise.resolve(checks > seen + 3), { timeoutMs: 10_000 })).toBe(true);

    await policy('noeviction');
    expect(await waitUntil(() => Promise.resolve(watch.unsafe === undefined), { timeoutMs: 10_000 })).toBe(true);
    expect(lines).toEqual([
      ['error', 'Redis is not safe: acts that need the guard are held'],
      ['info', 'Redis is safe again: acts are admitted'],
    ]);
  });

  it('goes on being unsafe while Redis does not answer', async () => {
    const { watch } = watchOf();
    await policy('allkeys-lru');
    await watch.check();
    redis.disconnect();
    await expect(watch.check()).rejects.toThrow();
    expect(watch.unsafe).toContain('maxmemory-policy is allkeys-lru');
    redis = await server.connect();
  });

  it('forecasts memory from the acts of all workers since it began, and the bytes of a record that ended', async () => {
    const job = effectHarness(redis, { namespace });
    await job.guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
    const clock = { ms: 0 };
    const { watch } = watchOf({ goes: () => job.guard.store.goes(['paper']), now: () => clock.ms });
    expect((await watch.check()).memory.forecastBytes).toBeUndefined();
    const payload = JSON.stringify({ text: 'x'.repeat(200) });
    for (let i = 0; i < 20; i += 1) {
      const fence = fenceOf(await job.guard.admit(job.ref(`i${i}`), admitRequest()));
      await job.guard.settle(job.ref(`i${i}`), settleRequest({ fence, payload }));
    }
    watch.ended(job.ref('i3'));
    clock.ms = 40_000;
    const { memory, findings } = await watch.check();
    const bytes = Number(await server.admin.memory('USAGE', guardKeys(namespace).record(job.ref('i3'))));
    // 20 acts in 40 s, each record kept for 1000 s. Redis does not count the entry for the time that a key ends.
    const forecast = (memory.forecastBytes ?? 0) / (0.5 * 1_000);
    expect(forecast).toBeGreaterThan(bytes * 0.9);
    expect(forecast).toBeLessThan(bytes * 1.4);
    expect(findings.find(({ check }) => check === 'memory')?.found).toContain('0.50 acts/s × 1000 s');
  });

  it('begins its forecast anew when Redis has lost its count of acts', async () => {
    const now = { ms: 0, goes: 1_000 };
    const { watch } = watchOf({ goes: () => now.goes, now: () => now.ms });
    const rateAt = async (ms: number, goes: number): Promise<string | undefined> => {
      Object.assign(now, { ms, goes });
      const { findings } = await watch.check();
      return /([-\d.]+) acts\/s/.exec(findings.find(({ check }) => check === 'memory')?.found ?? '')?.[1];
    };
    expect(await rateAt(0, 1_000)).toBeUndefined();
    expect(await rateAt(100_000, 1_100)).toBe('1.00');
    expect(await rateAt(200_000, 10)).toBeUndefined();
    expect(await rateAt(300_000, 210)).toBe('2.00');
  });
});

describe('a worker', () => {
  const open = async (flags: object = {}) => {
    const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
    const all = { redis: { url: server.url }, venues: { paper: venue }, ...flags };
    const services = await openServices(loadConfig({ env: {}, flags: all }), pino({ enabled: false }));
    opened.push(services);
    return services;
  };
  const metric = (text: string, name: string): number =>
    Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (.+)$`, 'm').exec(text)?.[1]);

  it('does not start on a Redis that would lose claims, and names each setting to change', async () => {
    await policy('volatile-ttl');
    await server.admin.config('SET', 'appendonly', 'no');
    try {
      const error: unknown = await open().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ name: 'UnsafeRedisError', problems: [expect.any(String), expect.any(String)] });
      expect((error as Error).message).toContain('CONFIG SET maxmemory-policy noeviction');
      expect((error as Error).message).toContain('CONFIG SET appendonly yes');
      await policy('noeviction');
      await open({ redis: { url: server.url, acknowledged: { persistence: 'none' } } });
    } finally {
      await server.admin.config('SET', 'appendonly', 'yes');
    }
  });

  it('tells in its metrics whether Redis is safe and what it holds', async () => {
    const services = await open({ redis: { url: server.url, memory_budget_mb: 64 } });
    const told = (): Promise<string> => services.metrics.registry.metrics();
    const safe = await told();
    expect(metric(safe, 'fillsafe_redis_safe')).toBe(1);
    expect(metric(safe, 'fillsafe_redis_memory_bytes{kind="used"}')).toBeGreaterThan(100_000);
    expect(metric(safe, 'fillsafe_redis_memory_bytes{kind="budget"}')).toBe(64 * 2 ** 20);
    expect(metric(safe, 'fillsafe_redis_evicted_keys')).toBe(0);
    await policy('volatile-lru');
    await services.watch.check();
    expect(metric(await told(), 'fillsafe_redis_safe')).toBe(0);
  });

  it('looks again every minute by itself, and knows from its own acts what is coming', async () => {
    const intervals = jest.spyOn(globalThis, 'setInterval');
    const performanceNow = performance.now.bind(performance);
    let laterMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => performanceNow() + laterMs);
    try {
      const { runtime, watch, metrics } = await open({ retry: { redis: { namespace } } });
      const [lookAgain] = intervals.mock.calls.find(([, ms]) => ms === 60_000) ?? [];
      await runtime.guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
      await watch.check();
      for (const id of ['a', 'b']) await runtime.guard.admit(placing(id), admitRequest());
      laterMs = 40_000;
      await policy('volatile-lru');
      lookAgain?.();
      const isTold = async () => metric(await metrics.registry.metrics(), 'fillsafe_redis_safe') === 0;
      expect(await waitUntil(isTold, { timeoutMs: 5_000 })).toBe(true);
      await policy('noeviction');
      const { findings } = await watch.check();
      expect(findings.find(({ check }) => check === 'memory')?.found).toMatch(/0\.0\d acts\/s × 259200 s/);
    } finally {
      clock.mockRestore();
      intervals.mockRestore();
    }
  });

  it('tries its late settlements once more before it ends', async () => {
    const services = await open();
    const late = jest.fn(() => Promise.resolve());
    services.runtime.outbox.add(late);
    await services.close();
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('compares the clock of Redis with those of its venues, and so does the doctor', async () => {
    const venue = await startPaperVenue({});
    opened.push(venue);
    const there = { adapter: 'paper', base_url: venue.url, api_key: 'paper-key', api_secret: 'paper-secret' };
    const flags = { redis: { url: server.url }, venues: { paper: there } };
    const services = await open(flags);
    const apart = /^Redis is \d+ ms (behind|ahead of) paper, 1000 ms are allowed/;
    for (const [offsetMs, warnings] of [
      [0, []],
      [60_000, [expect.stringMatching(apart)]],
    ] as const) {
      await fetch(`${venue.url}/admin/clock`, { method: 'POST', body: JSON.stringify({ offsetMs }) });
      await services.venue('paper').syncClock();
      const told = (await services.watch.check()).findings.filter(
        ({ check, state }) => check === 'clock' && state === 'warn',
      );
      expect(told.map(({ found }) => found)).toEqual(warnings);
      const found = await checkRedisService(loadConfig({ env: {}, flags }));
      expect(found.filter(({ what, state }) => what === 'Redis clock' && state === 'warn')).toHaveLength(
        warnings.length,
      );
    }
  });

  it('places nothing while Redis is not safe and says why; cancels go on; later the order leaves', async () => {
    const { watch } = watchOf();
    const job = effectHarness(redis, { namespace, watch });
    await job.guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
    await policy('allkeys-lru');
    await watch.check();

    const held = await job.attempt();
    expect(held.failure).toMatchObject({ type: 'STORE_UNSAFE', nonRetryable: false, nextRetryDelay: 10_000 });
    expect(held.failure?.message).toContain('not acted, Redis is not safe: maxmemory-policy is allkeys-lru');
    expect(held.failure?.message).toContain('CONFIG SET maxmemory-policy noeviction');
    expect(held.heartbeats.at(-1)).toEqual({ attempt: 1, sends: 0 });
    expect(job.seen.sends).toBe(0);
    expect(await job.record()).toBeUndefined();
    const text = await job.metrics.registry.metrics();
    expect(text).toContain('{job_type="order.place",kind="first",reason="store_unsafe"} 1');

    const cancelled = await job.attempt({ jobType: 'order.cancel', input: CANCEL });
    expect(cancelled.result).toMatchObject({ status: 'done' });

    await policy('noeviction');
    await watch.check();
    const placed = await job.attempt({ attempt: 2, heartbeatDetails: held.heartbeats.at(-1) });
    expect(placed.result).toMatchObject({ status: 'done', replayed: false });
    expect(job.seen.sends).toBe(2);
  });

  it('refuses to wait for replicas for longer than an order has to leave', () => {
    const flags = {
      venues: { paper: { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' } },
      redis: { replicas: { wait_for: 1, timeout_ms: 1_000 } },
    };
    expect(() => loadConfig({ env: {}, flags })).toThrow('redis.replicas.timeout_ms: 1000 is too long');
  });
});
