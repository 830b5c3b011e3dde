import { Client } from '@temporalio/client';
import {
  type Worker,
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
import { WORKFLOW_QUEUE } from '../domain/job-types';

import { Controls } from './controls';
import { WorkerGroup } from './group';
import { openStores } from './open-stores';
import { FillsafePlugin } from './plugin';
import { ensureSweeps } from './schedules';
import { openServices, type Services } from './services';
import { startWorkers } from './start-workers';

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
   * Whether this process also does the effects: it then polls `fillsafe` for fillsafe's own workflows, and
   * `fillsafe.<jobType>.<venue>` and `fillsafe.lookup.<venue>` of every configured venue, and of `books` for effects of your own,
   * while your worker runs. Default true; false where other
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
  private companions: Promise<{ group: WorkerGroup; controls: Controls }> | undefined;
  private searchAttributes = false;

  constructor(
    private readonly services: Services,
    private readonly effects: boolean,
  ) {}

  async configureWorker(options: WorkerOptions): Promise<WorkerOptions> {
    const { connection, namespace = 'default', taskQueue } = options;
    if (taskQueue === WORKFLOW_QUEUE)
      throw new TypeError(
        `taskQueue: "${WORKFLOW_QUEUE}" is that of fillsafe's own workflows: give your worker another one`,
      );
    if (this.effects && !connection)
      throw new TypeError(
        "connection: missing; fillsafe's effects go over your worker's, so Worker.create must be given one",
      );
    // An attribute that the server does not know wedges the workflow that sets it: only a server that was asked gets them.
    const client = connection && new Client({ connection, namespace });
    this.searchAttributes = client !== undefined && (await missingSearchAttributes(client)).length === 0;
    const { runtime } = this.services;
    const { searchAttributes } = this;
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
        const { group, controls } = await companions;
        controls.stop();
        group.stop();
        await group.done;
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

  private async startCompanions({ options }: Worker): Promise<{ group: WorkerGroup; controls: Controls }> {
    const { connection, namespace, dataConverter, identity, shutdownGraceTimeMs } = options;
    const client = new Client({ connection: connection!, namespace });
    const controls = new Controls(client, this.services.runtime);
    this.services.useControls(controls);
    const group = new WorkerGroup();
    // Their worker without its effects would take jobs and never end them. Whoever ends last hears of it.
    group.done.catch(() => stop(this.users));
    await startWorkers(group, this.services, controls, {
      ...{ connection: connection!, namespace, identity, shutdownGraceTime: shutdownGraceTimeMs },
      plugins: [new FillsafePlugin(this.services, { searchAttributes: this.searchAttributes })],
      ...(dataConverter && { dataConverter }),
    });
    return { group, controls };
  }
}

function stop(workers: Iterable<Worker>): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}
