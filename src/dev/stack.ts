import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../config/load';
import type { FillsafeConfig } from '../config/schema';
import { packageRoot } from '../package-root';
import { startNodeChild } from './node-child';
import { claimDataDir } from './pid-file';
import { rememberedPort, retryTakenPort } from './ports';
import { startRedis, type RunningRedis } from './redis';
import { announceStack, type StackInfo } from './stack-file';
import { Supervisor, type Supervised } from './supervisor';
import { startTemporal, type RunningTemporal } from './temporal';
import { prepareNamespace } from './temporal-namespace';
import { startWatchdog, type Watchdog } from './watchdog';

export interface StackOptions {
  /** Keeps everything: the same directory resumes. */
  dataDir: string;
  /** Configuration file; default `config/paper.yaml`. Addresses of what is started here are put over it. */
  configFile?: string | undefined;
  worker: boolean;
  /** Faults of the paper venue from the start: a scenario file. */
  scenarioFile?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** Whether commands without a configuration of their own find it; default true. */
  announced?: boolean;
  log(line: string): void;
}

export interface Stack {
  info: StackInfo;
  /** Process id of `temporal`, `redis`, `paper venue` or `worker`, as it runs now; `undefined` while it does not. */
  pid(name: string): number | undefined;
  /** Stops everything that was started here and keeps the data. */
  stop(): Promise<void>;
}

/**
 * Starts what is missing of Temporal, Redis and the paper venue on free ports of 127.0.0.1, and a worker in a process of its
 * own. Whatever ends is started again at the same address; everything ends with this process, however it dies.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { worker, env = process.env, log } = options;
  const dataDir = resolve(options.dataDir);
  const claim = claimDataDir(dataDir);
  const watchdog = startWatchdog();
  const started = new Map<string, Supervisor<Supervised>>();
  /** `start` gets what ran first: clients were told its address, so it must be back at the same one. */
  const supervise = async <T extends Supervised>(name: string, start: (first?: T) => Promise<T>): Promise<T> => {
    let first: T | undefined = undefined;
    const supervisor = new Supervisor<T>(name, () => start(first), { log });
    first = await supervisor.begin();
    started.set(name, supervisor as unknown as Supervisor<Supervised>);
    return first;
  };
  const stop = async (): Promise<void> => {
    // The worker goes first, so that it can end what it is doing while the services are there.
    for (const supervisor of [...started.values()].reverse()) await supervisor.stop();
    watchdog.close();
    claim.release();
  };

  try {
    const scenario = options.scenarioFile === undefined ? [] : ['--scenario', options.scenarioFile];
    const [temporal, redis, paper] = await Promise.all([
      env['TEMPORAL_ADDRESS']
        ? existingTemporal(env['TEMPORAL_ADDRESS'])
        : supervise<RunningTemporal>('temporal', (first) =>
            startTemporal({ dataDir, watchdog, log, ...(first && { port: first.port, uiPort: first.uiPort }) }),
          ),
      env['REDIS_URL']
        ? { address: env['REDIS_URL'] }
        : supervise<RunningRedis>('redis', (first) =>
            startRedis({ dataDir, watchdog, log, ...(first && { port: first.port }) }),
          ),
      supervise<RunningPaperVenue>('paper venue', (first) =>
        retryTakenPort(() => startPaperProcess({ dataDir, watchdog, scenario, port: first?.port })),
      ),
    ]);
    const configPath = join(dataDir, 'fillsafe.yaml');
    const writeConfig = async (): Promise<FillsafeConfig> => {
      const metricsPort = await rememberedPort({ dataDir, name: 'metrics' });
      const found = { temporal: temporal.address, redis: redis.address, paper: paper.url, metricsPort };
      const config = stackConfig(options.configFile, env, found);
      writeFileSync(configPath, stringify(config), { mode: 0o600 });
      return config;
    };
    const config = await writeConfig();

    const info: StackInfo = {
      event: 'ready',
      temporal: temporal.address,
      ui: temporal.ui,
      redis: redis.address,
      ledger: config.ledger.url,
      metrics: null,
      paper: paper.url,
      workerPid: null,
      pid: process.pid,
      dataDir,
      config: configPath,
    };
    if (worker) {
      const logFile = join(dataDir, 'logs', 'worker.log');
      const running = await supervise<RunningWorkerProcess>('worker', (first) =>
        first
          ? startWorkerProcess({ configPath, logFile, watchdog, env })
          : retryTakenPort(async () => {
              await writeConfig();
              return startWorkerProcess({ configPath, logFile, watchdog, env });
            }),
      );
      Object.assign(info, { workerPid: running.pid, metrics: running.metrics });
    }
    const takeBack = options.announced === false ? (): void => undefined : announceStack(info);
    return {
      info,
      pid: (name) => started.get(name)?.pid,
      stop: async () => {
        takeBack();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type RunningPaperVenue = Supervised & { url: string; port: number };

async function startPaperProcess(options: {
  dataDir: string;
  watchdog: Watchdog;
  scenario: string[];
  port: number | undefined;
}): Promise<RunningPaperVenue> {
  const { dataDir, watchdog, scenario } = options;
  const port = await rememberedPort({
    dataDir,
    name: 'paper',
    ...(options.port !== undefined && { port: options.port }),
  });
  const { child, ready } = await startNodeChild({
    name: 'paper venue',
    script: 'dist/src/venues/paper/main.js',
    args: ['--port', String(port), '--data-dir', join(dataDir, 'paper'), ...scenario],
    logFile: join(dataDir, 'logs', 'paper.log'),
    watchdog,
  });
  return { ...child, stop: () => child.stop(), url: String(ready['url']), port };
}

type RunningWorkerProcess = Supervised & { metrics: string };

/** A worker as a process that can be killed alone. */
async function startWorkerProcess(options: {
  configPath: string;
  logFile: string;
  watchdog: Watchdog;
  env: NodeJS.ProcessEnv;
}): Promise<RunningWorkerProcess> {
  const { configPath, ...rest } = options;
  const { child, ready } = await startNodeChild({
    name: 'worker',
    script: 'bin/fillsafe.js',
    args: ['worker', '--config', configPath],
    ...rest,
  });
  // An attempt that is under way may take as long as the venue lets it wait.
  return { ...child, stop: () => child.stop({ graceMs: 25_000 }), metrics: String(ready['metrics']) };
}

async function existingTemporal(address: string): Promise<{ address: string; ui: string | null }> {
  await prepareNamespace({ address });
  return { address, ui: null };
}

function stackConfig(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
  found: { temporal: string; redis: string; paper: string; metricsPort: number },
): FillsafeConfig {
  const path = file ?? env['FILLSAFE_CONFIG'] ?? join(packageRoot, 'config', 'paper.yaml');
  const config = loadConfig({ file: path, env });
  const venues = Object.entries(config.venues).map(([name, venue]) => [
    name,
    venue.adapter === 'paper' ? { ...venue, base_url: found.paper } : venue,
  ]);
  return {
    ...config,
    temporal: { ...config.temporal, address: found.temporal },
    redis: { ...(env['REDIS_URL'] ? config.redis : ownRedis(config)), url: found.redis },
    metrics: { ...config.metrics, port: found.metricsPort },
    venues: Object.fromEntries(venues) as FillsafeConfig['venues'],
  };
}

/** The stack's own Redis has neither password nor TLS, whatever the file says of another one. */
function ownRedis({ redis: { command_timeout_ms } }: FillsafeConfig): FillsafeConfig['redis'] {
  return { ...loadConfig({ env: {} }).redis, command_timeout_ms };
}
