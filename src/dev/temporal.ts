import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { locateTemporal } from './binaries';
import { startChild } from './child';
import { rememberedPort, retryTakenPort } from './ports';
import { endOrphan, noteProcess, untilReady, type RunningService } from './running-service';
import { prepareNamespace, temporalAnswers } from './temporal-namespace';
import type { Watchdog } from './watchdog';

export interface StartTemporalOptions {
  /** Workflows are kept in `<dataDir>/temporal`, output in `<dataDir>/logs/temporal.log`. */
  dataDir: string;
  /** Of the frontend (gRPC). Default: the port used last time in this data directory, else a free one. */
  port?: number;
  /** Of the web UI, likewise. */
  uiPort?: number;
  /** More arguments of `temporal server start-dev`. */
  extraArgs?: string[];
  /** Ends Temporal when this process dies. */
  watchdog?: Watchdog;
  /** Default 60 000: a first start on a busy machine. */
  readyTimeoutMs?: number;
  log(line: string): void;
}

export type RunningTemporal = RunningService & {
  /** Web address of its UI. */
  ui: string;
  port: number;
  uiPort: number;
};

// A dev server has one shard, and its queues read 20 times a second per shard: each step of a workflow waits up to 50 ms.
// A production cluster has hundreds of shards and needs none of this.
const DYNAMIC_CONFIG = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=200`);

/**
 * Starts Temporal's dev server on 127.0.0.1 with fillsafe's search attributes and a retention of 72 h.
 * Resolves when frontend and history answer. A stop, a crash and a start keep the workflows.
 */
export function startTemporal(options: StartTemporalOptions): Promise<RunningTemporal> {
  return retryTakenPort(() => startOnce(options));
}

async function startOnce(options: StartTemporalOptions): Promise<RunningTemporal> {
  const { dataDir, extraArgs = [], watchdog, readyTimeoutMs = 60_000, log } = options;
  const name = 'temporal';
  const command = await locateTemporal(log);
  const dir = join(dataDir, 'temporal');
  mkdirSync(dir, { recursive: true });
  await endOrphan(dataDir, name, log);
  const port = await rememberedPort({ dataDir, name, ...(options.port !== undefined && { port: options.port }) });
  const uiPort = await rememberedPort({
    dataDir,
    name: 'temporal-ui',
    ...(options.uiPort !== undefined && { port: options.uiPort }),
  });
  const logFile = join(dataDir, 'logs', 'temporal.log');
  const child = startChild({
    name,
    command,
    args: ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)]
      .concat(['--db-filename', join(dir, 'temporal.db'), '--log-level', 'warn'])
      .concat(DYNAMIC_CONFIG.flatMap((setting) => ['--dynamic-config-value', setting]))
      .concat(extraArgs),
    // The CLI reads TEMPORAL_* too (address, profile, TLS): what is meant for clients must not bend the server.
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('TEMPORAL_'))),
    logFile,
    ...(watchdog && { watchdog }),
  });
  noteProcess(dataDir, name, child.pid);
  const address = `127.0.0.1:${port}`;
  await untilReady(child, () => temporalAnswers(address), { timeoutMs: readyTimeoutMs, logFile });
  try {
    await prepareNamespace({ address });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    name,
    address,
    ui: `http://127.0.0.1:${uiPort}`,
    port,
    uiPort,
    pid: child.pid,
    exited: child.exited,
    stop: () => child.stop(),
    kill: child.kill,
  };
}
