import { Redis } from 'ioredis';

/** Redis did not answer in time or is not connected: whether a script ran is not known. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly isStoreUnavailable = true;

  constructor(what: string, cause: unknown) {
    super(`Redis did not answer ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

export function isStoreUnavailable(error: unknown): error is StoreUnavailableError {
  return typeof error === 'object' && error !== null && 'isStoreUnavailable' in error;
}

/**
 * Connects to Redis for the guard, waiting at most `connectTimeoutMs` (default 5 s).
 *
 * While Redis is away commands fail at once instead of queueing: a claim that runs later than its caller waited for it
 * would be nobody's. A command whose reply was lost is sent again on the new connection; the scripts are made for that.
 */
export async function connectRedis(
  url: string,
  { commandTimeoutMs = 2_000, connectTimeoutMs = 5_000 }: { commandTimeoutMs?: number; connectTimeoutMs?: number } = {},
): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
    // After a failover the old primary answers as a replica: the address must be looked up anew.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  dropWhatTimedOut(redis);
  // Each command's own rejection tells the caller; without a listener a lost connection would end the process.
  let last: unknown;
  redis.on('error', (error) => (last = error));
  const deadline = setTimeout(() => redis.disconnect(), connectTimeoutMs);
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    const shown = new URL(url);
    shown.password = '';
    throw new Error(
      `cannot reach Redis at ${shown.href}: ${String((last as Error | undefined)?.message || (error as Error).message)}. ` +
        'Is it running? Set REDIS_URL or redis.url; `fillsafe dev` starts one.',
      { cause: error },
    );
  } finally {
    clearTimeout(deadline);
  }
}

/**
 * The client library keeps a command that timed out and sends it again when the connection is back. Its caller has long
 * gone another way: a claim made then would be nobody's, and would cost a look-up and its waiting.
 */
function dropWhatTimedOut(redis: Redis): void {
  const ended = new WeakSet<object>();
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    if (ended.has(command)) return command.promise;
    const end = (): unknown => ended.add(command);
    command.promise.then(end, end);
    return send(command, stream);
  };
}
