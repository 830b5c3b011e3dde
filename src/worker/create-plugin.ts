import { Client } from '@temporalio/client';
import {
  Worker,
  type BundleOptions,
  type BundlerPlugin,
  type WorkerOptions,
  type WorkerPlugin,
} from '@temporalio/worker';
import pino, { type Logger } from 'pino';
import { missingSearchAttributes } from '../client/temporal';
import { loadConfig } from '../config/load';
import type { FillsafeConfig } from '../config/schema';
import type { EffectDefinition } from '../../activities';
import { queuesOf } from '../domain/job-types';
import { slotsOf } from './gate';
import { openStores } from './open-stores';
import { FillsafePlugin } from './plugin';
import { ensureSweeps } from './schedules';
import { openServices, type Services } from './services';

export interface FillsafePluginOptions {
  /** The whole configuration, as `loadConfig` gives it. Default: read from `configFile` and the environment. */
  config?: FillsafeConfig;
  /** A YAML file laid over the defaults. Default: `FILLSAFE_CONFIG`, else the defaults alone. */
  configFile?: string;
  /** Default: JSON lines on stdout, from `info` on. */
  log?: Logger;
  /** Effects of your own, made by `defineEffect`. Give all of them to each worker that runs workflows which call them. */
  ownEffects?: readonly EffectDefinition[];
  /**
   * Whether this process also does the effects: it then polls `fillsafe.<jobType>.<venue>` and `fillsafe.lookup.<venue>` of
   * every configured venue, and of `books` for effects of your own, while your worker runs. Default true; false where other
   * processes do them: `fillsafe worker` does orders only.
   */
  effects?: boolean;
}

/** fillsafe as a plugin of a worker that people already have. One of them may serve several workers of a process. */
export interface FillsafeWorkerPlugin extends WorkerPlugin, BundlerPlugin {
  /** fillsafe's metrics in Prometheus' text format, for your own page. */
  metrics(): Promise<string>;
  /** Disconnects from Redis. Call it when the workers' `run()` has ended; attempts that run on would be refused. */
  close(): Promise<void>;
}

/**
 * Opens Redis and the venues, and gives a plugin for your own worker: `Worker.create({…, plugins: [await
 * createFillsafePlugin()]})`. A plain `await placeOrder(order)` in your workflows then goes the whole way of an effect;
 * other activities are left alone. `placeOrder`, `cancelOrder`, `lookUp`, `resolveIntent` and `planJob` are its activities'
 * names. With a prebuilt bundle give the plugin to `bundleWorkflowCode({…, plugins: [plugin]})` too.
 *
 * Temporal's connection, namespace and data converter are those of your worker; `temporal` of the configuration is not used.
 *
 * @throws ConfigError when the configuration cannot be used, UnsafeRedisError when this Redis would lose claims, Error when
 * Redis cannot be reached within 5 s or `redis.url` is missing. Nothing is left open then.
 */
export async function createFillsafePlugin(options: FillsafePluginOptions = {}): Promise<FillsafeWorkerPlugin> {
  const {
    configFile,
    config = loadConfig({ file: configFile }),
    log = pino(),
    effects = true,
    ownEffects = [],
  } = options;
  return new OwnWorkerPlugin(await openServices(config, log, ownEffects), effects);
}

class OwnWorkerPlugin implements FillsafeWorkerPlugin {
  readonly name = 'fillsafe';
  /** Theirs, while they run. */
  private readonly users = new Set<Worker>();
  /** Workers of the effects beside theirs: started by the first of theirs, ended with the last. */
  private companions: Promise<{ workers: Worker[]; ended: Promise<unknown> }> | undefined;

  constructor(
    private readonly services: Services,
    private readonly effects: boolean,
  ) {}

  async configureWorker(options: WorkerOptions): Promise<WorkerOptions> {
    const { connection, namespace = 'default' } = options;
    // An attribute that the server does not know wedges the workflow that sets it: only a server that was asked gets them.
    const client = connection && new Client({ connection, namespace });
    const searchAttributes = client !== undefined && (await missingSearchAttributes(client)).length === 0;
    const { runtime } = this.services;
    await openStores(runtime, { client, searchAttributes });
    const venues = runtime.effects.places().map(({ venue }) => venue);
    if (client && this.effects) await ensureSweeps(client, venues, runtime.log);
    return new FillsafePlugin(this.services, { searchAttributes }).configureWorker(options);
  }

  configureBundler(options: BundleOptions): BundleOptions {
    return new FillsafePlugin(this.services, { searchAttributes: false }).configureBundler(options);
  }

  async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    if (!this.effects) return next(worker);
    this.users.add(worker);
    const companions = (this.companions ??= this.startCompanions(worker));
    try {
      await companions;
      await next(worker);
    } finally {
      this.users.delete(worker);
      if (this.users.size === 0) {
        this.companions = undefined;
        const { workers, ended } = await companions;
        stop(workers);
        await ended;
      }
    }
  }

  async metrics(): Promise<string> {
    await this.services.refreshMetrics();
    return this.services.metrics.registry.metrics();
  }

  close(): Promise<void> {
    return this.services.close();
  }

  private async startCompanions({ options }: Worker): Promise<{ workers: Worker[]; ended: Promise<unknown> }> {
    const { connection, namespace, dataConverter, identity, shutdownGraceTimeMs } = options;
    const plugin = new FillsafePlugin(this.services, { searchAttributes: false });
    const queues = queuesOf(this.services.runtime.effects.places());
    const workers = await Promise.all(
      queues.map(async (taskQueue) => {
        const configured = plugin.configureWorker({
          namespace,
          identity,
          taskQueue,
          shutdownGraceTime: shutdownGraceTimeMs,
          ...slotsOf(this.services.runtime, taskQueue),
          activityTaskPollerBehavior: { type: 'autoscaling' },
          ...(connection && { connection }),
          ...(dataConverter && { dataConverter }),
        });
        return Worker.create(configured);
      }),
    );
    const ended = Promise.all(
      workers.map((companion) =>
        companion.run().catch((error: unknown) => {
          // Their worker without its effects would take jobs and never end them.
          stop([...workers, ...this.users]);
          throw error;
        }),
      ),
    );
    // Whoever ends last hears of it; until then a rejection must not count as unhandled.
    ended.catch(() => undefined);
    return { workers, ended };
  }
}

function stop(workers: Iterable<Worker>): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}
