import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime as TemporalRuntime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { missingSearchAttributes, TemporalUnreachableError, temporalSettings } from '../client/temporal';
import type { FillsafeConfig } from '../config/schema';
import { Controls } from './controls';
import { serveHealth } from './http';
import { openStores } from './open-stores';
import { FillsafePlugin } from './plugin';
import { ensureSweeps } from './schedules';
import { WorkerGroup } from './group';
import { openServices, type Services } from './services';
import { startWorkers, type CommonOptions } from './start-workers';

export interface RunningWorker {
  /** Address of `/metrics`, `/healthz` and `/readyz`. */
  metricsAddress: string;
  /** Resolves when the worker has ended; rejects when it failed. */
  done: Promise<void>;
  /** Takes no new work, lets running attempts end, then resolves `done`. */
  shutdown(): void;
}

/** How long Temporal may take to answer before the worker counts as not ready. */
const READY_LIMIT_MS = 2_000;

/**
 * Starts a worker on the given services: the workflows, and for each venue the effects and the look-ups, each on its own
 * task queue. What adds risk begins last, when Redis holds what people ordered of the breakers. Resolves when all of it polls.
 * Throws when a service cannot be reached or is not safe.
 */
export async function runWorker(config: FillsafeConfig, log: Logger): Promise<RunningWorker> {
  forwardTemporalLog(log);
  const services = await openServices(config, log);
  const group = new WorkerGroup();
  let connection: NativeConnection | undefined;
  let controls: Controls | undefined;
  let closeHealth: (() => Promise<void>) | undefined;
  const close = async (): Promise<void> => {
    services.metrics.workerReady.set(0);
    controls?.stop();
    await closeHealth?.();
    await services.close();
    // Workers that were made but never ran still hold the connection: that must not hide why.
    await connection?.close().catch(() => undefined);
  };
  try {
    const open = (connection = await connect(config));
    const client = new Client({ connection: open, namespace: temporalSettings(config).namespace });
    const orders = (controls = new Controls(client, services.runtime));
    services.useControls(orders);
    const options = await workerOptions(config, services, client);
    const health = await serveHealth({
      ...config.metrics,
      registry: services.metrics.registry,
      refresh: services.refreshMetrics,
      readiness: () => readiness(group, services, orders, open),
    });
    closeHealth = health.close;
    await startWorkers(group, services, orders, options);
    services.metrics.workerReady.set(1);
    return {
      metricsAddress: health.address,
      done: group.done.finally(close),
      shutdown: () => {
        services.metrics.workerReady.set(0);
        group.stop();
      },
    };
  } catch (error) {
    group.stop();
    if (group.workers.length > 0) await group.done.catch(() => undefined);
    await close();
    throw error;
  }
}

async function connect(config: FillsafeConfig): Promise<NativeConnection> {
  const { options, address } = temporalSettings(config);
  const { connect_timeout_ms } = config.temporal;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${connect_timeout_ms} ms`)), connect_timeout_ms);
  });
  try {
    return await Promise.race([
      NativeConnection.connect(options as Parameters<typeof NativeConnection.connect>[0]),
      tooLate,
    ]);
  } catch (error) {
    throw new TemporalUnreachableError(address, error);
  } finally {
    clearTimeout(timer);
  }
}

/** What all Temporal workers of this process share. Compares the stores and makes the schedules first. */
async function workerOptions(config: FillsafeConfig, services: Services, client: Client): Promise<CommonOptions> {
  const { runtime } = services;
  const missing = await missingSearchAttributes(client);
  if (missing.length > 0) {
    runtime.log.warn(
      { missing },
      'search attributes are not registered, jobs run without them; `fillsafe doctor --fix` registers them',
    );
  }
  await openStores(runtime, { client, searchAttributes: missing.length === 0 });
  await ensureSweeps(client, Object.keys(config.venues), runtime.log);
  return {
    connection: client.connection as NativeConnection,
    namespace: client.options.namespace,
    shutdownGraceTime: config.worker.shutdown_grace_seconds * 1_000,
    plugins: [new FillsafePlugin(services, { searchAttributes: missing.length === 0 })],
  };
}

async function readiness(
  { workers }: WorkerGroup,
  { watch }: Services,
  { notReady }: Controls,
  connection: NativeConnection,
): Promise<string[]> {
  const problems = notReady === undefined ? [] : [`breakers: ${notReady}`];
  for (const worker of workers) {
    const state = worker.getState();
    if (state !== 'RUNNING') problems.push(`worker on ${worker.options.taskQueue} is ${state}`);
  }
  try {
    await connection.withDeadline(Date.now() + READY_LIMIT_MS, () => connection.workflowService.getSystemInfo({}));
  } catch (error) {
    problems.push(`temporal: ${(error as Error).message}`);
  }
  try {
    problems.push(...(await watch.check()).problems.map((problem) => `redis: ${problem}`));
  } catch (error) {
    problems.push(`redis: ${(error as Error).message}`);
  }
  return problems;
}

let forwarded = false;

/** Temporal's runtime is one per process and must have its logger before the first connection. */
function forwardTemporalLog(log: Logger): void {
  if (forwarded) return;
  forwarded = true;
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  TemporalRuntime.install({
    // Ctrl-C and SIGTERM are handled by the command, in the order that effects need.
    shutdownSignals: [],
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      // A worker of effects runs no workflows, and that is as it should be.
      if (/No (workflows|activities) registered/i.test(message)) return;
      log[levels[level]]({ temporal: meta }, message);
    }),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
}
