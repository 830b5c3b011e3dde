import type { Redis } from 'ioredis';
import { freePort } from '../../../src/dev/ports';
import { connectRedis, isStoreUnavailable, StoreUnavailableError } from '../../../src/redis/client';
import { checkRedis } from '../../../src/redis/safety';
import { scriptText } from '../../../src/redis/scripts';
import { redisSettings } from '../../support/redis';

const INFO = {
  redis_version: '7.2.4',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  evicted_keys: '0',
  role: 'master',
  used_memory: '1000',
  maxmemory: '0',
};
const check = (over: Record<string, string> = {}) => {
  const text = Object.entries({ ...INFO, ...over })
    .map(([name, value]) => `${name}:${value}`)
    .join('\r\n');
  return checkRedis({ info: () => Promise.resolve(`# Server\r\n${text}\r\n`) } as unknown as Redis);
};

describe('the check of a Redis', () => {
  it('is content with one that keeps what it was given', async () => {
    expect(await check()).toMatchObject({ problems: [], warnings: [], version: '7.2.4', appendOnly: true });
  });

  it.each([
    [{ maxmemory_policy: 'allkeys-lru' }, 'maxmemory-policy is allkeys-lru'],
    [{ redis_version: '6.0.16' }, 'at least 6.2 is needed'],
    [{ redis_version: '5.0.0' }, 'at least 6.2 is needed'],
    [{ role: 'slave' }, 'role is slave'],
  ])('refuses %p', async (over, problem) => {
    expect((await check(over)).problems).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [{ aof_enabled: '0' }, 'appendonly is off'],
    [{ evicted_keys: '3' }, '3 keys were evicted'],
  ])('warns of %p', async (over, warning) => {
    expect(await check(over)).toMatchObject({ problems: [], warnings: [expect.stringContaining(warning)] });
  });
});

describe('the connection', () => {
  it('that cannot be made says where and what to set, and shows no password', async () => {
    const port = await freePort();
    const url = `redis://user:hush@127.0.0.1:${port}`;
    const connecting = connectRedis(redisSettings({ url }), { connectTimeoutMs: 1_000 });
    await expect(connecting).rejects.toThrow(`cannot reach Redis at redis://user@127.0.0.1:${port}`);
    await expect(connecting).rejects.toThrow('Set REDIS_URL, redis.url');
    await expect(connecting).rejects.not.toThrow('hush');
  });

  it('that failed is told apart by a tag, also across copies of the package', () => {
    expect(isStoreUnavailable(new StoreUnavailableError('admit', new Error('away')))).toBe(true);
    expect(isStoreUnavailable({ isStoreUnavailable: true })).toBe(true);
    expect([isStoreUnavailable(new Error('x')), isStoreUnavailable(null), isStoreUnavailable('x')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

it('scripts are whole: every fragment is in its place', () => {
  for (const name of ['admit', 'settle', 'look-begin', 'look-end', 'resolve'] as const) {
    expect(scriptText(name)).not.toContain('--#include');
    expect(scriptText(name)).toContain('local function parseRecord');
  }
});
