import type { RedisConnection } from './client-options';

/** What of a Redis matters to the guard's promise. */
export interface RedisSafety {
  version: string;
  maxmemoryPolicy: string;
  appendOnly: boolean;
  evictedKeys: number;
  usedMemoryBytes: number;
  maxmemoryBytes: number;
  role: string;
  /** Why this Redis must not be used: each with the setting to change. */
  problems: string[];
  /** What weakens the promise without breaking it. */
  warnings: string[];
}

/** Reads INFO, which managed services leave open where they hide CONFIG. */
export async function checkRedis(redis: RedisConnection): Promise<RedisSafety> {
  const info = parseInfo(await redis.info());
  const maxmemoryPolicy = info.get('maxmemory_policy') ?? 'unknown';
  const version = info.get('redis_version') ?? 'unknown';
  const appendOnly = info.get('aof_enabled') === '1';
  const evictedKeys = Number(info.get('evicted_keys') ?? 0);
  const role = info.get('role') ?? 'unknown';
  const problems: string[] = [];
  const warnings: string[] = [];

  if (maxmemoryPolicy !== 'noeviction') {
    problems.push(
      `maxmemory-policy is ${maxmemoryPolicy}: Redis would throw away claims when it is full, and an act could happen twice; ` +
        'run CONFIG SET maxmemory-policy noeviction and set it in redis.conf',
    );
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) problems.push(`version is ${version}: at least 6.2 is needed`);
  if (role !== 'master') problems.push(`role is ${role}: the guard needs the primary; set REDIS_URL to it`);
  if (!appendOnly) {
    warnings.push(
      'appendonly is off: claims are lost when Redis restarts; run CONFIG SET appendonly yes and set it in redis.conf',
    );
  }
  if (evictedKeys > 0) warnings.push(`${evictedKeys} keys were evicted since Redis started: claims may be among them`);
  return {
    version,
    maxmemoryPolicy,
    appendOnly,
    evictedKeys,
    usedMemoryBytes: Number(info.get('used_memory') ?? 0),
    maxmemoryBytes: Number(info.get('maxmemory') ?? 0),
    role,
    problems,
    warnings,
  };
}

/** This Redis would lose claims: nothing is started on it. */
export class UnsafeRedisError extends Error {
  override readonly name = 'UnsafeRedisError';

  constructor(readonly problems: string[]) {
    super(`this Redis is not safe for the guard:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
