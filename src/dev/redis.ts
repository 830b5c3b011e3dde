import { mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { locateRedis } from './binaries';
import { startChild } from './child';
import { rememberedPort, retryTakenPort } from './ports';
import { endOrphan, noteProcess, untilReady, type RunningService } from './running-service';
import type { Watchdog } from './watchdog';

export interface StartRedisOptions {
  /** Keys are kept in `<dataDir>/redis`, output in `<dataDir>/logs/redis.log`. */
  dataDir: string;
  /** Path of a `redis-server`. Default: what `locateRedis` finds. */
  command?: string;
  /** Default: the port used last time in this data directory, else a free one. */
  port?: number;
  /** More arguments of `redis-server`; they win over fillsafe's. */
  extraArgs?: string[];
  /** Ends Redis when this process dies. */
  watchdog?: Watchdog;
  /** Default 30 000: loading a large append-only file takes its time. */
  readyTimeoutMs?: number;
  log(line: string): void;
}

export type RunningRedis = RunningService & { port: number };

/**
 * Starts Redis on 127.0.0.1, set as the guard needs it: no key is evicted, every write is on disk before it is answered.
 * Resolves when it answers PING; its address is a `redis://` URL. A stop, a crash and a start keep the keys.
 */
export function startRedis(options: StartRedisOptions): Promise<RunningRedis> {
  return retryTakenPort(() => startOnce(options));
}

async function startOnce(options: StartRedisOptions): Promise<RunningRedis> {
  const { dataDir, extraArgs = [], watchdog, readyTimeoutMs = 30_000, log } = options;
  const name = 'redis';
  const command = options.command ?? (await locateRedis(log));
  const dir = join(dataDir, 'redis');
  mkdirSync(dir, { recursive: true });
  await endOrphan(dataDir, name, log);
  const port = await rememberedPort({ dataDir, name, ...(options.port !== undefined && { port: options.port }) });
  const logFile = join(dataDir, 'logs', 'redis.log');
  const child = startChild({
    name,
    command,
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--daemonize', 'no']
      .concat(['--maxmemory-policy', 'noeviction', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''])
      .concat(extraArgs),
    logFile,
    ...(watchdog && { watchdog }),
  });
  noteProcess(dataDir, name, child.pid);
  await untilReady(child, () => answersPing(port), { timeoutMs: readyTimeoutMs, logFile });
  return {
    name,
    address: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    exited: child.exited,
    stop: () => child.stop(),
    kill: child.kill,
  };
}

/** Whether Redis answers: with PONG, or that it wants a password. It says LOADING until it has read its file. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.setTimeout(1_000, () => socket.destroy(new Error('PING: no answer within 1 s')));
    socket.once('error', reject);
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply) => {
      const text = reply.toString().trim();
      socket.destroy();
      if (/^(\+PONG|-NOAUTH)/.test(text)) resolve(true);
      else reject(new Error(`PING: ${text}`));
    });
  });
}
