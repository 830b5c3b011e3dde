import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import pino from 'pino';

import type { EffectResult, FillsafeConfig, FillsafeWorkerPlugin, JobStatus } from '../../src/index';
import { startRedis } from '../../src/dev/redis';
import type { RunningService } from '../../src/dev/running-service';
import { startTemporal } from '../../src/dev/temporal';
import { connectRedis, type RedisConnection } from '../../src/redis/client';
import { redisSettings } from './redis';
import { payBundle, payPlugin, payWorker, THEIR_QUEUE } from './pay-worker';
import { payee, type Payout, type Receipt } from './payouts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy';

/** What a test of somebody's own effects does all the time: their worker and workflows, real Temporal, Redis behind a proxy. */
export function payday({ worker = true }: { worker?: boolean } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-payday-'));
  const books = join(dataDir, 'books.jsonl');
  const service = payee(books);
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const running = {} as {
    temporal: RunningService;
    redis: RunningService;
    proxy: TcpProxy;
    direct: RedisConnection;
    config: FillsafeConfig;
    connection: NativeConnection;
    clients: Connection;
    client: Client;
    plugin: FillsafeWorkerPlugin;
    worker: Worker;
    ended: Promise<void>;
    bundle: { code: string };
  };

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const quiet = { dataDir, log: () => undefined };
    const [temporal, redis] = await Promise.all([startTemporal(quiet), startRedis(quiet)]);
    const proxy = await startTcpProxy(redis.port);
    const { config, plugin: opening } = payPlugin(`redis://127.0.0.1:${proxy.port}`, service, log);
    const plugin = await opening;
    const bundle = await payBundle(plugin);
    const connection = await NativeConnection.connect({ address: temporal.address });
    const clients = await Connection.connect({ address: temporal.address });
    const client = new Client({ connection: clients });
    const direct = await connectRedis(redisSettings({ url: redis.address }));
    Object.assign(running, { temporal, redis, proxy, direct, config, connection, clients, client, plugin, bundle });
    if (worker) await startWorker();
  }, 120_000);

  async function startWorker(): Promise<void> {
    const { connection, plugin, bundle } = running;
    running.worker = await payWorker({ connection, plugin, workflowBundle: bundle });
    running.ended = running.worker.run();
    // Before Redis holds what people ordered of the breakers no effect begins, and a test may take Redis away at once.
    await Promise.race([untilRunning(running.worker), running.ended]);
  }

  afterAll(async () => {
    const { temporal, redis, proxy, direct, connection, clients, plugin, worker, ended } = running;
    worker?.shutdown();
    await ended;
    await plugin?.close();
    direct?.disconnect();
    await clients?.close();
    await connection?.close();
    await proxy?.stop();
    await Promise.all([temporal?.stop(), redis?.stop()]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function untilRunning(worker: Worker): Promise<void> {
    while (worker.getState() === 'INITIALIZED') await sleep(20);
  }

  let count = 0;
  const aPayout = (over: Partial<Payout> = {}): Payout => ({
    payoutId: `p-${(count += 1)}`,
    to: 'ann',
    amount: '12.50',
    ...over,
  });

  let workflows = 0;
  const start = (jobType: string, payout: unknown): Promise<WorkflowHandle> =>
    running.client.workflow.start('pay', {
      workflowId: `payday-${(workflows += 1)}`,
      taskQueue: THEIR_QUEUE,
      args: [jobType, payout],
    });

  /** The result of a workflow, or the failure that it ended with. */
  async function endOf(
    handle: WorkflowHandle,
  ): Promise<{ done?: EffectResult<Receipt>; category?: string; message?: string; details?: unknown }> {
    try {
      return { done: (await handle.result()) as EffectResult<Receipt> };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
      const { type, message, details } = error.cause;
      return { category: type ?? '', message, details: details?.[0] };
    }
  }

  async function untilParked(handle: WorkflowHandle): Promise<JobStatus> {
    for (;;) {
      const status = await handle.query<JobStatus>('status');
      if (status.stage === 'parked') return status;
      await sleep(50);
    }
  }

  /** Activities of a workflow, as it scheduled them: `<type> on <queue>`. */
  async function activitiesOf(handle: WorkflowHandle): Promise<string[]> {
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled ? [`${scheduled.activityType?.name} on ${scheduled.taskQueue?.name}`] : [],
    );
  }

  const payAndEnd = async (jobType: string, payout: unknown) => endOf(await start(jobType, payout));
  return {
    running,
    startWorker,
    service,
    lines,
    books,
    dataDir,
    aPayout,
    start,
    endOf,
    payAndEnd,
    untilParked,
    activitiesOf,
  };
}
