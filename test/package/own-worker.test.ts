import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino from 'pino';
import {
  createFillsafePlugin,
  isUnsafeRedis,
  loadConfig,
  type FillsafeConfig,
  type OrderResult,
} from '../../src/index';
import { startRedis } from '../../src/dev/redis';
import { startTemporal } from '../../src/dev/temporal';
import type { RunningService } from '../../src/dev/running-service';
import { startPaperVenue, type PaperVenue } from '../../src/venues/paper/server';

const log = pino({ level: 'silent' });
const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-own-worker-'));
let temporal: RunningService;
let redis: RunningService;
let paper: PaperVenue;
let config: FillsafeConfig;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const quiet = { dataDir, log: () => undefined };
  [temporal, redis, paper] = await Promise.all([startTemporal(quiet), startRedis(quiet), startPaperVenue()]);
  const venue = { adapter: 'paper', base_url: paper.url, api_key: 'paper-key', api_secret: 'paper-secret' };
  config = loadConfig({ env: {}, flags: { redis: { url: redis.address }, venues: { paper: venue } } });
});

afterAll(async () => {
  await Promise.all([temporal?.stop(), redis?.stop(), paper?.close()]);
  rmSync(dataDir, { recursive: true, force: true });
});

const order = {
  intentId: 'own-worker-1',
  venue: 'paper',
  symbol: 'XRPETH',
  side: 'BUY',
  type: 'LIMIT',
  quantity: '23',
  price: '0.00141',
};

test("somebody's own worker does effects and its own activities side by side, once each", async () => {
  const plugin = await createFillsafePlugin({ config, log });
  const connection = await NativeConnection.connect({ address: temporal.address });
  const clients = await Connection.connect({ address: temporal.address });
  const greeted: string[] = [];
  try {
    const worker = await Worker.create({
      connection,
      taskQueue: 'somebody-elses',
      workflowsPath: require.resolve('./own-workflow'),
      activities: { greet: async (name: string) => void greeted.push(name) },
      plugins: [plugin],
    });
    const { workflow } = new Client({ connection: clients });
    const results = await worker.runUntil(async () => {
      const run = (workflowId: string): Promise<OrderResult> =>
        workflow.execute('buyAndGreet', { workflowId, taskQueue: 'somebody-elses', args: [order] });
      return [await run('theirs-1'), await run('theirs-2')];
    });

    expect(results[0]).toMatchObject({ intentId: 'own-worker-1', status: 'done', replayed: false, attempts: 1 });
    expect(results[1]).toMatchObject({ order: results[0]!.order, replayed: true });
    expect(greeted).toEqual([results[0]!.order.orderId, results[0]!.order.orderId]);
    expect(await plugin.metrics()).toMatch(/attempts_total\{[^}]*job_type="order\.place"[^}]*outcome="success"\} 2/);
    const truth = (await (await fetch(`${paper.url}/truth`)).json()) as { totals: object };
    expect(truth.totals).toMatchObject({ orders: 1, duplicates: 0 });
  } finally {
    await plugin.close();
    await clients.close();
    await connection.close();
  }
});

test('a Redis that would throw claims away is refused, by an error that a guard tells', async () => {
  const unsafeDir = join(dataDir, 'unsafe');
  const unsafe = await startRedis({
    dataDir: unsafeDir,
    extraArgs: ['--maxmemory-policy', 'allkeys-lru'],
    log: () => undefined,
  });
  try {
    const error: unknown = await createFillsafePlugin({
      config: { ...config, redis: { ...config.redis, url: unsafe.address } },
      log,
    }).catch((caught: unknown) => caught);
    expect(isUnsafeRedis(error)).toBe(true);
    expect((error as Error).message).toContain('CONFIG SET maxmemory-policy noeviction');
  } finally {
    await unsafe.stop();
  }
});
