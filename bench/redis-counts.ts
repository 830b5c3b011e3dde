import type { RedisConnection } from '../src/redis/client';

/** Commands that come from a client; whatever else INFO commandstats counts ran inside a script. */
const SCRIPT_CALLS = ['evalsha', 'eval', 'script'];
const OWN_CALLS = ['info', 'config', 'ping', 'memory', 'client', 'hello', 'select'];

export interface Counts {
  /** Calls of scripts. */
  scripts: number;
  /** Commands that scripts called. */
  inside: number;
}

/** What `work` makes Redis do. Nobody else may use that Redis meanwhile. */
export async function countedIn(redis: RedisConnection, work: () => Promise<void>): Promise<Counts> {
  const before = await sinceStart(redis);
  await work();
  const after = await sinceStart(redis);
  return { scripts: after.scripts - before.scripts, inside: after.inside - before.inside };
}

async function sinceStart(redis: RedisConnection): Promise<Counts> {
  const counts = [...(await redis.info('commandstats')).matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)];
  const sum = (wanted: (name: string) => boolean): number =>
    counts.filter(([, name = '']) => wanted(name)).reduce((total, [, , calls]) => total + Number(calls), 0);
  return {
    scripts: sum((name) => SCRIPT_CALLS.includes(name)),
    inside: sum((name) => !SCRIPT_CALLS.includes(name) && !OWN_CALLS.includes(name)),
  };
}
