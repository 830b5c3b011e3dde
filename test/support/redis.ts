import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config/load';
import { startRedis } from '../../src/dev/redis';
import { connectRedis, type RedisConnection, type RedisSettings } from '../../src/redis/client';
import { locateRedisVersion, type RedisVersion } from './redis-programs';

/** The user of `deploy/redis/users.acl`, as every test's guard has it. */
export const USER = 'fillsafe';
export const PASSWORD = 'test-password';
const ACL_FILE = join(__dirname, '..', '..', 'deploy', 'redis', 'users.acl');

/** A Redis of one suite. */
export interface TestRedis {
  /** For fillsafe: with its user and password. */
  url: string;
  port: number;
  pid: number;
  /** Bytes of its append-only file so far. */
  writtenBytes(): number;
  /** May do everything, unlike fillsafe. Closed by `stop`. */
  admin: Redis;
  /** A connection as the guard has it, through `port` if given. Closed by `stop`. */
  connect(options?: { commandTimeoutMs?: number; port?: number }): Promise<Redis>;
  /** A key prefix that nobody else on this server uses. */
  namespace(): string;
  kill(): void;
  /** After `kill`: on the same port and files. `between` runs while it is down; it is given the folder of the files. */
  restart(between?: (dir: string) => void): Promise<void>;
  stop(): Promise<void>;
}

/** How fillsafe is told of a Redis. Those of tests may forget everything, unless a test is about that. */
export function redisSettings(over: Partial<RedisSettings>): RedisSettings {
  return { ...loadConfig({ env: {} }).redis, acknowledged: { persistence: 'none' }, ...over };
}

/**
 * Starts a redis-server of its own on a free port of 127.0.0.1, with the user that the project ships. Without `durable` it
 * writes nothing to disk: thousands of small scripts would otherwise wait for the disk. Later arguments win.
 * `version` asks for just this one.
 */
export async function startTestRedis({
  durable = false,
  extraArgs = [],
  version,
}: { durable?: boolean; extraArgs?: string[]; version?: RedisVersion } = {}): Promise<TestRedis> {
  const command = version && (await locateRedisVersion(version));
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-guard-'));
  mkdirSync(join(dataDir, 'redis'));
  copyFileSync(ACL_FILE, join(dataDir, 'redis', 'users.acl'));
  const start = () =>
    startRedis({
      dataDir,
      ...(command && { command }),
      extraArgs: ['--aclfile', 'users.acl', ...(durable ? [] : ['--appendonly', 'no']), ...extraArgs],
      log: () => undefined,
    });
  let service = await start();
  const { port } = service;
  const admin = new Redis(service.address, { disconnectTimeout: 200 }).on('error', () => undefined);
  // What is left for an operator to do: a password, and the keys of a namespace that is not the default one.
  await admin.call('ACL', 'SETUSER', USER, `>${PASSWORD}`, '~test-*');
  await admin.call('ACL', 'SAVE');
  const connections: RedisConnection[] = [];
  let names = 0;
  return {
    url: urlAt(port),
    port,
    get pid() {
      return service.pid!;
    },
    writtenBytes: () => statSync(appendOnlyFile(join(dataDir, 'redis'))).size,
    admin,
    connect: async ({ commandTimeoutMs: command_timeout_ms = 2_000, port: through = port } = {}) => {
      const redis = await connectRedis(redisSettings({ url: urlAt(through), command_timeout_ms }));
      connections.push(redis);
      return redis as Redis;
    },
    namespace: () => `test-${(names += 1)}`,
    kill: () => service.kill('SIGKILL'),
    restart: async (between) => {
      await service.exited;
      between?.(join(dataDir, 'redis'));
      service = await start();
    },
    stop: async () => {
      for (const redis of [admin, ...connections]) redis.disconnect();
      await service.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The file that Redis appends its writes to: one of a folder from 7.0 on. */
export function appendOnlyFile(dir: string): string {
  const folder = join(dir, 'appendonlydir');
  if (!existsSync(folder)) return join(dir, 'appendonly.aof');
  const name = readdirSync(folder).find((file) => file.endsWith('.incr.aof'));
  if (name === undefined) throw new Error(`no append-only file in ${folder}`);
  return join(folder, name);
}

function urlAt(port: number): string {
  return `redis://${USER}:${PASSWORD}@127.0.0.1:${port}`;
}
