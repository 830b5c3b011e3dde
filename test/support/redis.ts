import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { startRedis } from '../../src/dev/redis';
import { connectRedis } from '../../src/redis/client';

/** A Redis of one suite. */
export interface TestRedis {
  url: string;
  port: number;
  pid: number;
  /** A connection as the guard has it. Closed by `stop`. */
  connect(options?: { commandTimeoutMs?: number }): Promise<Redis>;
  /** A key prefix that nobody else on this server uses. */
  namespace(): string;
  kill(): void;
  stop(): Promise<void>;
}

/**
 * Starts a redis-server of its own on a free port of 127.0.0.1. Without `durable` it writes nothing to disk: thousands of
 * small scripts would otherwise wait for the disk. Later arguments win.
 */
export async function startTestRedis({
  durable = false,
  extraArgs = [],
}: { durable?: boolean; extraArgs?: string[] } = {}): Promise<TestRedis> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-guard-'));
  const service = await startRedis({
    dataDir,
    extraArgs: [...(durable ? [] : ['--appendonly', 'no']), ...extraArgs],
    log: () => undefined,
  });
  const connections: Redis[] = [];
  let names = 0;
  return {
    url: service.address,
    port: Number(new URL(service.address).port),
    pid: service.pid ?? 0,
    connect: async (options = {}) => {
      const redis = await connectRedis(service.address, options);
      connections.push(redis);
      return redis;
    },
    namespace: () => `test-${(names += 1)}`,
    kill: () => service.kill('SIGKILL'),
    stop: async () => {
      for (const redis of connections) redis.disconnect();
      await service.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
