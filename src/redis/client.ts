import type { Socket } from 'node:net';
import { Cluster, type Redis } from 'ioredis';
import type { RedisSettings } from '../config/redis-schema';
import { createClient, primaries, type RedisConnection } from './client-options';

export type { RedisConnection, RedisSettings };

/** Redis did not answer in time or is not connected: whether a script ran is not known. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly isStoreUnavailable = true;

  constructor(what: string, cause: unknown) {
    // A full Redis, or one that is loading, answers well enough: who reads this must not search the network.
    const did = cause instanceof Error && cause.name === 'ReplyError' ? 'refused' : 'did not answer';
    super(`Redis ${did} ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

export function isStoreUnavailable(error: unknown): error is StoreUnavailableError {
  return typeof error === 'object' && error !== null && 'isStoreUnavailable' in error;
}

/**
 * Connects to Redis for the guard, waiting at most `connectTimeoutMs` (default 5 s): to one server, to the primary that
 * Sentinels name, or to a cluster.
 *
 * While Redis is away commands fail at once instead of queueing: a claim that runs later than its caller waited for it
 * would be nobody's. A command whose reply was lost is sent again on the new connection; the scripts are made for that.
 */
export async function connectRedis(
  settings: RedisSettings,
  { connectTimeoutMs = 5_000 }: { connectTimeoutMs?: number } = {},
): Promise<RedisConnection> {
  const { redis, where } = createClient(settings, connectTimeoutMs);
  // Each command's own rejection tells the caller; without a listener a lost connection would end the process.
  let last: Error | undefined;
  const note = (error: Error): void => {
    // The refused AUTH hangs on it, with the password.
    delete (error as { command?: unknown }).command;
    // Why it was closed, or no Sentinel could help, came before.
    if (!/^(Connection is closed|All sentinels)/.test(error.message)) last = error;
  };
  if (redis instanceof Cluster) {
    redis.on('node error', note);
    redis.on('error', () => undefined);
    redis.on('+node', (node: Redis) => {
      dropWhatTimedOut(node);
      node.on('error', note);
      // At once, and not with the first command: those that come while it connects would be put off.
      if (!node.options.readOnly) node.connect().catch(() => undefined);
    });
  } else {
    redis.on('error', note);
    redis.on('sentinelError', note);
    dropWhatTimedOut(redis);
  }
  try {
    await untilReady(redis, connectTimeoutMs);
    return redis;
  } catch (error) {
    redis.disconnect();
    const reason = (last ?? (error as Error)).message.replace(/\.$/, '');
    throw new Error(
      `cannot reach Redis at ${where}: ${reason}. Is it running? ` +
        'Set REDIS_URL, redis.url, redis.cluster or redis.sentinel; `fillsafe dev` starts one.',
      { cause: error },
    );
  }
}

/** Calls `listener` after each new connection to a server that holds keys. */
export function onConnection(redis: RedisConnection, listener: () => void): void {
  for (const node of primaries(redis)) node.on('ready', listener);
  // A cluster counts as ready all the time while its nodes come and go.
  if (redis instanceof Cluster) redis.on('+node', (node: Redis) => node.on('ready', listener));
}

/** Throws unless every server that holds keys answers, and no key of a cluster is without one. */
export async function pingAll(redis: RedisConnection): Promise<void> {
  await Promise.all(primaries(redis).map((node) => node.ping()));
  // A node that is lost is no longer among the primaries: the cluster's own word tells.
  if (redis instanceof Cluster && !(await redis.cluster('INFO')).includes('cluster_state:ok')) {
    throw new Error('cluster_state is not ok: not all of its slots are served');
  }
}

async function untilReady(redis: RedisConnection, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not ready within ${limitMs} ms`)), limitMs);
      // A cluster that is still joining becomes ready on a later try of its own.
      redis.once('ready', resolve);
      redis.connect().catch(reject);
    });
    // Where a stranger may look, a connection whose password was refused counts as ready before it is closed.
    await redis.ping();
  } finally {
    clearTimeout(timer);
  }
}

/** Commands whose caller has an answer, be it that there was none in time. */
const ended = new WeakSet<object>();

/**
 * The client library keeps a command that timed out and sends it again when the connection is back. Its caller has long
 * gone another way: a claim made then would be nobody's, and would cost a look-up and its waiting.
 *
 * A server that is gone without a word leaves a connection on which nothing fails: one that stayed silent for the whole
 * time of a command is given up. The library's own `socketTimeout` may end the connection after that one instead.
 */
function dropWhatTimedOut(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    if (ended.has(command)) return command.promise;
    const { stream: socket } = redis as { stream?: Socket };
    const heard = socket?.bytesRead;
    const end = (): unknown => ended.add(command);
    command.promise.then(end, (error: Error) => {
      end();
      if (error.message === 'Command timed out' && socket?.bytesRead === heard) socket?.destroy();
    });
    return send(command, stream);
  };
}
