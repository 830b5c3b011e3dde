import type { FillsafeConfig } from '../config/schema';
import { Guard } from '../guard/guard';
import { connectRedis, type RedisConnection } from '../redis/client';

/** The guard's store as a client sees it. Close it after use. */
export interface OpenGuard {
  guard: Guard;
  redis: RedisConnection;
  close(): void;
}

/** Throws an error that names the setting when the address is missing, and says where it looked when nobody answers. */
export async function openGuard(config: FillsafeConfig): Promise<OpenGuard> {
  const redis = await connectRedis(config.redis);
  const { namespace, ttl_seconds } = config.retry.redis;
  return {
    guard: new Guard(redis, { namespace, ttlMs: ttl_seconds * 1_000 }),
    redis,
    close: () => redis.disconnect(),
  };
}
