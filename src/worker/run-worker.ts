import { Client } from '@temporalio/client';
import {
  DefaultLogger,
  NativeConnection,
  Runtime as TemporalRuntime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { missingSearchAttributes, TemporalUnreachableError, temporalSettings } from '../client/temporal';
import type { FillsafeConfig } from '../config/schema';
import { queuesOf, WORKFLOW_QUEUE } from '../domain/job-types';
import { workflowBundle } from './bundle';
import { slotsOf } from './gate';
import { serveHealth } from './http';
import { openStores } from './open-stores';
import { FillsafePlugin } from './plugin';
import { ensureSweeps } from './schedules';
import { openServices, type Services } from './services';

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
 * task queue. Resolves when it polls. Throws before anything is polled when a service cannot be reached or is not safe.
 */
export async function runWorker(config: FillsafeConfig, log: Logger): Promise<RunningWorker> {
  forwardTemporalLog(log);
  const services = await openServices(config, log);
  let connection: NativeConnection | undefined;
  try {
    const open = await connect(config);
    connection = open;
    const workers = await createWorkers(config, services, open, log);
    const health = await serveHealth({
      ...config.metrics,
      registry: services.metrics.registry,
      refresh: services.refreshMetrics,
      readiness: () => readiness(workers, services, open),
    });
    const done = runAll(workers, services, open, health.close);
    services.metrics.workerReady.set(1);
    return {
      metricsAddress: health.address,
      done,
      shutdown: () => {
        services.metrics.workerReady.set(0);
        stopAll(workers);
      },
    };
  } catch (error) {
    // Workers that were made but never ran still hold the connection: that must not hide why.
    await connection?.close().catch(() => undefined);
    await services.close();
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

async function createWorkers(
  config: FillsafeConfig,
  services: Services,
  connection: NativeConnection,
  log: Logger,
): Promise<Worker[]> {
  const { namespace } = temporalSettings(config);
  const client = new Client({ connection, namespace });
  const missing = await missingSearchAttributes(client);
  if (missing.length > 0) {
    log.warn(
      { missing },
      'search attributes are not registered, jobs run without them; `fillsafe doctor --fix` registers them',
    );
  }
  await openStores(services.runtime, { client, searchAttributes: missing.length === 0 });
  await ensureSweeps(client, Object.keys(config.venues), log);
  const common = (): WorkerOptions => ({
    connection,
    namespace,
    taskQueue: WORKFLOW_QUEUE,
    shutdownGraceTime: config.worker.shutdown_grace_seconds * 1_000,
    plugins: [new FillsafePlugin(services, { searchAttributes: missing.length === 0 })],
  });
  return Promise.all([
    Worker.create({
      ...common(),
      workflowBundle: await workflowBundle(),
      workflowTaskPollerBehavior: { type: 'autoscaling' },
      // A workflow whose worker died waits this long for it; Temporal's default is 10 s.
      stickyQueueScheduleToStartTimeout: 3_000,
    }),
    ...queuesOf(services.runtime.effects.places()).map((taskQueue) =>
      Worker.create({
        ...common(),
        taskQueue,
        ...slotsOf(services.runtime, taskQueue),
        activityTaskPollerBehavior: { type: 'autoscaling' },
      }),
    ),
  ]);
}

async function runAll(
  workers: Worker[],
  services: Services,
  connection: NativeConnection,
  closeHealth: () => Promise<void>,
): Promise<void> {
  try {
    // One that fails takes the others with it: half a worker would look healthy and do half of the work.
    await Promise.all(
      workers.map((worker) =>
        worker.run().catch((error: unknown) => {
          stopAll(workers);
          throw error;
        }),
      ),
    );
  } finally {
    services.metrics.workerReady.set(0);
    await closeHealth();
    await services.close();
    await connection.close().catch(() => undefined);
  }
}

function stopAll(workers: Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

async function readiness(workers: Worker[], { watch }: Services, connection: NativeConnection): Promise<string[]> {
  const problems: string[] = [];
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
