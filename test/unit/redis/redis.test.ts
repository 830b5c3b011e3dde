import { freePort } from '../../../src/dev/ports';
import { connectRedis, isStoreUnavailable, StoreUnavailableError } from '../../../src/redis/client';
import { scriptText } from '../../../src/redis/scripts';
import { redisSettings } from '../../support/redis';

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
