import type { Redis } from 'ioredis';
import pino from 'pino';
import { WorkerNumbers } from '../../src/breaker/worker-numbers';
import { loadConfig } from '../../src/config/load';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import { openServices, type Services } from '../../src/worker/services';
import { age } from '../model/shift-time';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';

const LEASE_MS = 30_000;

let server: TestRedis;
let guard: Guard;
let key: string;

/** A process that had drawn this number; it answers the one that it goes by once it has asked. */
function aWorker(drawn = 5): () => Promise<number> {
  const numbers = new WorkerNumbers(drawn);
  return async () => {
    await numbers.lease('paper', (worker) => guard.breakers.readAs(worker, 'paper', ['venue']));
    return numbers.at('paper');
  };
}
const workers = (count: number): (() => Promise<number>)[] => Array.from({ length: count }, () => aWorker());
async function askAll(asking: readonly (() => Promise<number>)[]): Promise<number[]> {
  const numbers = [];
  for (const ask of asking) numbers.push(await ask());
  return numbers;
}
const shift = (raw: string, ms: number): string =>
  raw.replace(/:(\d+):/g, (_all, until: string) => `:${Number(until) - ms}:`);
const pass = (ms: number): Promise<void> => age(server.admin, key, { ms, shift });

describe('twenty workers', () => {
  const opened: Services[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(async () => {
    await Promise.all(opened.map((services) => services.close()));
    await server.stop();
  });

  it('have a number each, and keep it when Redis has lost everything', async () => {
    const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
    const redisAt = { url: server.url, acknowledged: { persistence: 'none' } };
    const flags = { redis: redisAt, venues: { paper: venue }, retry: { redis: { namespace: server.namespace() } } };
    const config = loadConfig({ env: {}, flags });
    for (let i = 0; i < 20; i += 1) opened.push(await openServices(config, pino({ enabled: false })));
    const numbers = (): number[] => opened.map(({ runtime }) => runtime.workerNumbers.at('paper'));
    const before = numbers();
    expect(new Set(before).size).toBe(20);
    await server.admin.flushall();
    await Promise.all(opened.map(({ runtime }) => runtime.breakerWatch.refresh()));
    expect(numbers()).toEqual(before);
  });
});

describeOnEachRedis('the number of a worker', (version) => {
  let redis: Redis;

  beforeAll(async () => {
    server = await startTestRedis({ version });
    redis = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    const namespace = server.namespace();
    guard = new Guard(redis, { namespace, ttlMs: 100_000 });
    key = guardKeys(namespace).workers('paper');
  });

  it('is its own as long as it asks, and given again only when its lease is over', async () => {
    const [asking, stopped] = [aWorker(), aWorker(7)];
    expect(await askAll([asking, stopped])).toEqual([5, 7]);
    await pass(LEASE_MS - 10_000);
    expect(await asking()).toBe(5);
    expect(await aWorker(7)()).not.toBe(7);
    await pass(10_000);
    expect(await aWorker(7)()).toBe(7);
    expect(await aWorker(5)()).not.toBe(5);
    // It was only paused, and another has its number by now.
    expect(await stopped()).not.toBe(7);
  });

  it('is another than those of others for thirty-one, and shared by two at most for forty', async () => {
    const fleet = workers(40);
    const numbers = await askAll(fleet);
    expect(new Set(numbers.slice(0, 31)).size).toBe(31);
    expect(new Set(numbers).size).toBe(31);
    for (const number of numbers) {
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThanOrEqual(30);
      expect(numbers.filter((each) => each === number).length).toBeLessThanOrEqual(2);
    }
    expect(await askAll(fleet)).toEqual(numbers);
    // The last ones shared theirs with some of those who stay.
    const staying = fleet.slice(9);
    await pass(LEASE_MS - 10_000);
    await askAll(staying);
    await pass(10_000);
    await askAll(staying);
    expect(new Set(await askAll(staying)).size).toBe(31);
  });

  it('is not held for ever when the clock of Redis goes back', async () => {
    await aWorker()();
    await pass(-3_600_000);
    expect(await aWorker()()).toBe(5);
  });

  it('costs no write in most seconds, and no memory once its process is gone', async () => {
    const fleet = workers(20);
    await askAll(fleet);
    const written = await server.admin.get(key);
    await askAll(fleet);
    expect(await server.admin.get(key)).toBe(written);
    await pass(LEASE_MS);
    await aWorker()();
    expect((await server.admin.get(key))?.split(',')).toHaveLength(1);
    const ttlMs = await server.admin.pttl(key);
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(LEASE_MS);
  });

  it('is not taken by who only looks', async () => {
    await guard.breakers.read('paper', ['venue']);
    expect((await guard.breakers.readAt('paper', ['venue'])).levels).toHaveLength(2);
    expect(await server.admin.exists(key)).toBe(0);
  });

  it('is kept, and how the breakers stand is told, by a Redis that is full', async () => {
    const [known, other] = [aWorker(), aWorker()];
    await known();
    const others = await other();
    await pass(LEASE_MS - 10_000);
    await server.admin.config('SET', 'maxmemory', '1');
    try {
      expect(await askAll([known, other])).toEqual([5, others]);
      expect(await aWorker(9)()).toBe(9);
    } finally {
      await server.admin.config('SET', 'maxmemory', '0');
    }
  });
});
