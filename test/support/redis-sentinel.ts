import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { locateRedis } from '../../src/dev/binaries';
import { startChild } from '../../src/dev/child';
import { freePort } from '../../src/dev/ports';
import { waitUntil } from '../../src/dev/wait-until';
import type { RedisSettings } from '../../src/redis/client';
import { PASSWORD, redisSettings, startTestRedis, USER, type TestRedis } from './redis';

const NAME = 'orders';
const SENTINEL_PASSWORD = 'sentinel-password';

export interface TestSentinel {
  settings: RedisSettings;
  /** Of the Sentinel. */
  admin: Redis;
  /** The server that the Sentinel holds for the primary, and the other one. */
  roles(): Promise<{ primary: TestRedis; replica: TestRedis }>;
  /** Until the Sentinel could fail over to the replica, which has all that was written. */
  untilReplicated(): Promise<void>;
  stop(): Promise<void>;
}

/** A primary, its replica and a Sentinel that watches them, on 127.0.0.1. */
export async function startTestSentinel(): Promise<TestSentinel> {
  const first = await startTestRedis({ durable: true, extraArgs: ['--repl-diskless-sync-delay', '0'] });
  const second = await startTestRedis({ durable: true, extraArgs: ['--repl-diskless-sync-delay', '0'] });
  await second.admin.replicaof('127.0.0.1', first.port);

  const dir = mkdtempSync(join(tmpdir(), 'fillsafe-sentinel-'));
  const port = await freePort();
  const file = join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `requirepass ${SENTINEL_PASSWORD}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${first.port} 1`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 3000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const command = await locateRedis(() => undefined);
  const process = startChild({ name: 'sentinel', command, args: [file, '--sentinel'] });
  const admin = new Redis({ port, host: '127.0.0.1', password: SENTINEL_PASSWORD }).on('error', () => undefined);

  const roles = async (): Promise<{ primary: TestRedis; replica: TestRedis }> => {
    const [, at] = (await admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[];
    return Number(at) === first.port ? { primary: first, replica: second } : { primary: second, replica: first };
  };
  const canFailOver = async ({ replica }: { replica: TestRedis }): Promise<boolean> => {
    const [fields = []] = (await admin.call('SENTINEL', 'REPLICAS', NAME)) as string[][];
    const isKnown = fields[fields.indexOf('flags') + 1] === 'slave';
    return isKnown && (await replica.admin.info('replication')).includes('master_link_status:up');
  };
  const untilReplicated = async (): Promise<void> => {
    const servers = await roles();
    while (!(await canFailOver(servers))) await sleep(50);
    // It waits for the writes of its own connection, and so for all before them.
    await servers.primary.admin.set('up-to-here', '1');
    while ((await servers.primary.admin.wait(1, 1_000)) < 1) await sleep(50);
  };
  await waitUntil(() => admin.ping().then(() => true), { timeoutMs: 10_000 });
  await untilReplicated();
  return {
    settings: redisSettings({
      sentinel: { name: NAME, nodes: [`redis://127.0.0.1:${port}`], username: null, password: SENTINEL_PASSWORD },
      username: USER,
      password: PASSWORD,
    }),
    admin,
    roles,
    untilReplicated,
    stop: async () => {
      admin.disconnect();
      await process.stop();
      await Promise.all([first.stop(), second.stop()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
