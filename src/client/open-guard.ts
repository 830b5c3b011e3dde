import type { Redis } from 'ioredis';
import type { FillsafeConfig } from '../config/schema';
import { Guard } from '../guard/guard';
import { connectRedis } from '../redis/client';

/** The guard's store as a client sees it. Close it after use. */
export interface OpenGuard {
  guard: Guard;
  redis: Redis;
  close(): void;
}

/** Throws an error that names the setting when the address is missing, and says where it looked when nobody answers. */
export async function openGuard(config: FillsafeConfig): Promise<OpenGuard> {
  if (config.redis.url === null)
    throw new Error('redis.url: missing; set REDIS_URL or redis.url. `fillsafe dev` starts one.');
  const redis = await connectRedis(config.redis.url, { commandTimeoutMs: config.redis.command_timeout_ms });
  const { namespace, ttl_seconds } = config.retry.redis;
  return {
    guard: new Guard(redis, { namespace, ttlMs: ttl_seconds * 1_000 }),
    redis,
    close: () => redis.disconnect(),
  };
}
