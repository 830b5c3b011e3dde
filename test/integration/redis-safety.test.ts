import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { checkRedis, type CheckOptions, type RedisSafety } from '../../src/redis/safety';
import { waitUntil } from '../../src/dev/wait-until';
import { PASSWORD, startTestRedis, USER, type TestRedis } from '../support/redis';
import { plainExpectations } from '../support/safety-options';

const check = (redis: Redis, over: Partial<CheckOptions> = {}): Promise<RedisSafety> =>
  checkRedis(redis, { ...plainExpectations, ...over });

describe('the check of a Redis that is asked', () => {
  let server: TestRedis;
  let redis: Redis;
  let admin: Redis;

  beforeAll(async () => {
    server = await startTestRedis({ durable: true, extraArgs: ['--repl-diskless-sync-delay', '0'] });
    ({ admin } = server);
    redis = await server.connect();
  });
  afterAll(() => server.stop());

  const changed = new Map<string, string>();
  const set = async (name: string, value: string): Promise<void> => {
    const [, was = ''] = (await admin.config('GET', name)) as string[];
    if (!changed.has(name)) changed.set(name, was);
    await admin.config('SET', name, value);
  };
  afterEach(async () => {
    for (const [name, value] of changed) await admin.config('SET', name, value);
    changed.clear();
    await admin.flushall();
    await admin.config('RESETSTAT');
  });

  it('is content with one that forces every claim to disk and evicts nothing', async () => {
    const safety = await check(redis);
    expect(safety).toMatchObject({ problems: [], warnings: [] });
    expect(safety.findings.map(({ found }) => found)).toEqual(
      expect.arrayContaining([
        'the primary',
        'appendfsync always: every claim is on disk before it counts',
        'maxmemory-policy noeviction: a full Redis refuses, it loses nothing',
      ]),
    );
  });

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl', 'volatile-random'])(
    'refuses maxmemory-policy %s and says how to change it',
    async (policy) => {
      await set('maxmemory-policy', policy);
      const { problems } = await check(redis);
      expect(problems).toEqual([expect.stringContaining(`maxmemory-policy is ${policy}`)]);
      expect(problems[0]).toContain('run CONFIG SET maxmemory-policy noeviction and set it in redis.conf');
    },
  );

  it('refuses one without an append-only file, unless the operator accepts the loss', async () => {
    await set('appendonly', 'no');
    const { problems } = await check(redis);
    expect(problems).toEqual([expect.stringContaining('a restart of Redis loses every claim')]);
    expect(problems[0]).toContain('CONFIG SET appendonly yes');
    expect(problems[0]).toContain('redis: {acknowledged: {persistence: none}}');
    // What was read is worth more than a word against it.
    expect((await check(redis, { acknowledged: { persistence: 'always' } })).problems).toHaveLength(1);
    const accepted = await check(redis, { acknowledged: { persistence: 'none' } });
    expect(accepted.problems).toEqual([]);
    expect(accepted.warnings).toEqual([expect.stringContaining('as accepted by redis.acknowledged.persistence')]);
  });

  it.each([
    ['appendfsync', 'everysec', 'a power cut or crash of its machine up to 2 s', 'CONFIG SET appendfsync always'],
    ['appendfsync', 'no', 'commonly 30 s', 'CONFIG SET appendfsync always'],
    ['no-appendfsync-on-rewrite', 'yes', 'while the file is rewritten', 'CONFIG SET no-appendfsync-on-rewrite no'],
  ])('warns of %s %s, in words and with what to change', async (name, value, meaning, todo) => {
    await set(name, value);
    const { problems, warnings } = await check(redis);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(meaning)]);
    expect(warnings[0]).toContain(todo);
  });

  it('refuses one that has evicted keys, until a person has looked into it', async () => {
    await set('maxmemory-policy', 'allkeys-lru');
    const { memory } = await check(redis);
    await set('maxmemory', String((memory.usedBytes ?? 0) + 500_000));
    for (let i = 0; i < 100; i += 1) await admin.set(`filler:${i}`, 'x'.repeat(10_000));
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await admin.config('SET', 'maxmemory', '0');

    const { problems, readings } = await check(redis);
    const evicted = readings[0]?.evictedKeys ?? 0;
    expect(evicted).toBeGreaterThan(0);
    expect(problems).toEqual([expect.stringContaining(`${evicted} keys were evicted: claims may be among them`)]);
    expect(problems[0]).toContain('run fillsafe reconcile, then CONFIG RESETSTAT');
    expect((await check(redis, { acknowledged: { evicted_keys: evicted } })).problems).toEqual([]);
    expect((await check(redis, { acknowledged: { evicted_keys: evicted - 1 } })).problems).toHaveLength(1);
    await admin.config('RESETSTAT');
    expect((await check(redis)).problems).toEqual([]);
  });

  it('warns once of commands that a full Redis refused', async () => {
    await set('maxmemory', '1');
    await expect(admin.set('a', '1')).rejects.toThrow('OOM');
    await admin.config('SET', 'maxmemory', '0');
    const before = await check(redis);
    expect(before).toMatchObject({ problems: [], warnings: [expect.stringContaining('refused 1 commands')] });
    expect((await check(redis, { before })).warnings).toEqual([]);
  });

  it('warns of connections that were refused', async () => {
    await set('maxclients', '1');
    const late = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null });
    late.on('error', () => undefined);
    await expect(late.connect()).rejects.toThrow();
    late.disconnect();
    expect((await check(redis)).warnings).toEqual([expect.stringContaining('refused 1 connections')]);
  });

  it('warns when more is used than was planned, and when Redis is nearly full', async () => {
    const { memory } = await check(redis);
    const used = memory.usedBytes ?? 0;
    expect((await check(redis, { memoryBudgetBytes: 1_000 })).warnings).toEqual([
      expect.stringContaining('raise redis.memory_budget_mb'),
    ]);
    await set('maxmemory', String(Math.ceil(used * 1.1)));
    expect((await check(redis)).warnings).toEqual([expect.stringContaining('a full Redis refuses claims')]);
  });

  it('forecasts what records will come to, by rate, life and bytes of one', async () => {
    const growth = { perSecond: 2, ttlSeconds: 259_200, recordBytes: 500 };
    const { warnings } = await check(redis, { growth });
    expect(warnings).toEqual([expect.stringContaining('2.00 acts/s × 259200 s × 500 B a record come to 247.2 MiB')]);
    expect(warnings[0]).toContain('more than planned is coming');
    expect((await check(redis, { growth: { ...growth, perSecond: 0.5 } })).warnings).toEqual([]);
    await set('maxmemory', String(50 * 2 ** 20));
    expect((await check(redis, { growth: { ...growth, perSecond: 0.5 } })).warnings).toEqual([
      expect.stringContaining('Redis will be full'),
    ]);
  });

  it('warns of a clock that is off a venue’s, and names both', async () => {
    const venue = { venue: 'binance', aheadMs: 0, errorMs: 20, boundMs: 1_000 };
    expect((await check(redis, { clocks: [venue] })).warnings).toEqual([]);
    const { warnings } = await check(redis, { clocks: [venue, { ...venue, venue: 'paper', aheadMs: 60_000 }] });
    expect(warnings).toEqual([
      expect.stringMatching(/Redis is (59\d{3}|60\d{3}) ms behind paper, 1000 ms are allowed/),
    ]);
    // One that was never measured proves nothing.
    const unmeasured = { ...venue, aheadMs: 60_000, errorMs: 60_000 };
    expect((await check(redis, { clocks: [unmeasured] })).warnings).toEqual([]);
  });

  it('refuses a replica', async () => {
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    try {
      expect((await check(redis)).problems).toEqual([expect.stringContaining('role is slave')]);
    } finally {
      await admin.call('REPLICAOF', 'NO', 'ONE');
    }
  });

  it('tells what a failover would lose, and what bounds it', async () => {
    await set('min-replicas-to-write', '1');
    expect((await check(redis)).problems).toEqual([expect.stringContaining('Redis refuses every claim')]);
    await admin.config('SET', 'min-replicas-to-write', '0');
    expect((await check(redis, { waitFor: 1 })).warnings).toEqual([expect.stringContaining('no order is placed')]);

    const replica = await startTestRedis({
      durable: true,
      extraArgs: ['--replicaof', '127.0.0.1', String(server.port)],
    });
    try {
      const isThere = async (): Promise<boolean> => (await check(redis)).readings[0]?.goodReplicas === 1;
      expect(await waitUntil(isThere, { timeoutMs: 30_000 })).toBe(true);
      const { warnings } = await check(redis);
      expect(warnings).toEqual([
        expect.stringContaining('a failover loses the claims that the replica had not received'),
      ]);
      expect(warnings[0]).toContain('CONFIG SET min-replicas-to-write 1');
      expect((await check(redis, { waitFor: 1 })).warnings).toEqual([]);
      await set('min-replicas-to-write', '1');
      expect(await check(redis)).toMatchObject({ problems: [], warnings: [] });

      // One that is connected and does not listen is none.
      await set('min-replicas-max-lag', '1');
      process.kill(replica.pid, 'SIGSTOP');
      const isBehind = async (): Promise<boolean> => (await check(redis)).problems.length > 0;
      expect(await waitUntil(isBehind, { timeoutMs: 30_000 })).toBe(true);
      expect((await check(redis)).problems).toEqual([expect.stringContaining('1 connected, 0 of them good')]);
    } finally {
      process.kill(replica.pid, 'SIGCONT');
      await replica.stop();
    }
  });
});

describe('the check of a Redis that hides', () => {
  const servers: TestRedis[] = [];
  const start = async (...extraArgs: string[]): Promise<{ server: TestRedis; admin: Redis }> => {
    const server = await startTestRedis({ durable: true, extraArgs });
    servers.push(server);
    return { server, admin: server.admin };
  };
  /** A connection of a user who may do all but this. */
  const without = async (server: TestRedis, ...denied: string[]): Promise<Redis> => {
    await server.admin.call('ACL', 'SETUSER', USER, 'reset', 'on', `>${PASSWORD}`, '~*', '&*', '+@all', ...denied);
    return server.connect();
  };
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  const NEEDS_FSYNC =
    'appendfsync cannot be read here; find it out and vouch for it in the configuration: ' +
    'redis: {acknowledged: {persistence: everysec}}';

  it('CONFIG, denied by its rights: what INFO tells counts, and the rest must be vouched for', async () => {
    const { server } = await start();
    const redis = await without(server, '-config');
    expect((await check(redis)).problems).toEqual([NEEDS_FSYNC]);
    expect(await check(redis, { acknowledged: { persistence: 'always' } })).toMatchObject({
      problems: [],
      warnings: [],
    });
    const { warnings } = await check(redis, { acknowledged: { persistence: 'everysec' } });
    expect(warnings).toEqual([expect.stringContaining('appendfsync everysec (vouched for)')]);

    // A word against what INFO tells does not count.
    await server.admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await server.admin.config('SET', 'appendonly', 'no');
    const vouched = { persistence: 'always', maxmemory_policy: 'noeviction' } as const;
    expect((await check(redis, { acknowledged: vouched })).problems).toEqual([
      expect.stringContaining('maxmemory-policy is allkeys-lru'),
      expect.stringContaining('appendonly is off'),
    ]);
  });

  it('CONFIG, renamed away', async () => {
    const { admin: redis } = await start('--rename-command', 'CONFIG', '');
    expect((await check(redis)).problems).toEqual([NEEDS_FSYNC]);
    const { problems, warnings } = await check(redis, { acknowledged: { persistence: 'always' } });
    expect(problems).toEqual([]);
    // Nobody can see that only this machine reaches it.
    expect(warnings).toEqual([expect.stringContaining('default, which may do everything with every key')]);
  });

  it('CONFIG and INFO: version and role by HELLO, everything else is vouched for, each line named', async () => {
    const { server } = await start();
    const redis = await without(server, '-config', '-info');
    expect((await check(redis)).problems).toEqual([
      expect.stringContaining('redis: {acknowledged: {maxmemory_policy: noeviction}}'),
      expect.stringContaining('redis: {acknowledged: {persistence: everysec}}'),
    ]);
    const acknowledged = { maxmemory_policy: 'noeviction', persistence: 'always' } as const;
    const { problems, warnings } = await check(redis, { acknowledged });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('the count of evicted keys cannot be read here')]);
  });

  it('everything that could be asked', async () => {
    const { server } = await start('--rename-command', 'CONFIG', '', '--rename-command', 'HELLO', '');
    const redis = await without(server, '-info', '-acl', '-time');
    expect((await check(redis)).problems).toEqual([
      expect.stringContaining('redis: {acknowledged: {version: "7.2.4"}}'),
      expect.stringContaining('redis: {acknowledged: {role: master}}'),
      expect.stringContaining('redis: {acknowledged: {maxmemory_policy: noeviction}}'),
      expect.stringContaining('redis: {acknowledged: {persistence: everysec}}'),
    ]);
    const acknowledged = {
      version: '7.0',
      role: 'master',
      maxmemory_policy: 'noeviction',
      persistence: 'always',
    } as const;
    expect((await check(redis, { acknowledged })).problems).toEqual([]);
    expect((await check(redis, { acknowledged: { ...acknowledged, version: '6.0' } })).problems).toEqual([
      expect.stringContaining('at least 6.2 is needed'),
    ]);
  });

  it('nothing, but cannot write to its disk', async () => {
    const { admin: redis } = await start();
    const [, dir = ''] = (await redis.config('GET', 'dir')) as string[];
    rmSync(dir, { recursive: true });
    await redis.bgsave();
    const isTold = async (): Promise<boolean> => (await check(redis)).warnings.length > 0;
    expect(await waitUntil(isTold, { timeoutMs: 10_000 })).toBe(true);
    expect((await check(redis)).warnings).toEqual([expect.stringContaining('rdb_last_bgsave_status')]);
  });

  it('nothing, but does not answer: that is no finding', async () => {
    const { server } = await start();
    const redis = await server.connect({ commandTimeoutMs: 200 });
    process.kill(server.pid, 'SIGSTOP');
    try {
      await expect(check(redis)).rejects.toThrow('Command timed out');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  });
});
