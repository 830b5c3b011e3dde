import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { addressesOf, type RedisSettings } from '../config/redis-schema';

/** A server, the primary that Sentinels name, or all primaries of a cluster. */
export type RedisConnection = Redis | Cluster;

/** The servers that hold keys: each answers for a part of them, and with its own clock and memory. */
export function primaries(redis: RedisConnection): Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/** A client that is not connected yet, and where it will look, without a password. */
export function createClient(
  settings: RedisSettings,
  connectTimeoutMs: number,
): { redis: RedisConnection; where: string } {
  const { url, cluster, sentinel, command_timeout_ms: commandTimeout } = settings;
  const tls = tlsOptions(settings);
  const common: RedisOptions = {
    ...credentials(settings),
    ...(tls && { tls }),
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
    commandTimeout,
    connectTimeout: connectTimeoutMs,
    // After `disconnect` the library waits so long for the connection to end, also for one that had ended before: a process
    // that is done would stay for that time.
    disconnectTimeout: 200,
    disableClientInfo: true,
    // After a failover the old primary answers as a replica: the address must be looked up anew. Before 7.0 the word
    // stands inside the message of a script's error.
    reconnectOnError: (error) => /\bREADONLY\b/.test(error.message),
  };
  const retryStrategy = (times: number): number => Math.min(50 * times, 1_000);
  const alone: RedisOptions = { ...common, retryStrategy, lazyConnect: true, enableOfflineQueue: false };

  if (cluster !== null) {
    const redis = new Cluster(cluster.map(hostAndPort), {
      redisOptions: common,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: commandTimeout,
      // Certificates name hosts: an address in a name's place would not match.
      dnsLookup: (name, done) => done(null, name),
      lazyConnect: true,
      enableOfflineQueue: false,
    });
    return { redis, where: `the cluster of ${cluster.join(', ')}` };
  }
  if (sentinel !== null) {
    const { name, nodes } = sentinel;
    const redis = new Redis({
      ...alone,
      name,
      sentinels: nodes.map(hostAndPort),
      sentinelUsername: sentinel.username ?? undefined,
      sentinelPassword: sentinel.password ?? undefined,
      sentinelCommandTimeout: commandTimeout,
      // An old primary that is cut off from its Sentinels goes on answering: they tell when it no longer counts.
      failoverDetector: true,
      ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    } as RedisOptions);
    return { redis, where: `"${name}" of the Sentinels ${nodes.join(', ')}` };
  }
  if (url === null) {
    throw new Error(
      'redis.url: missing; set REDIS_URL, or one of redis.url, redis.cluster and redis.sentinel. `fillsafe dev` starts a Redis.',
    );
  }
  const address = new URL(url);
  address.username = '';
  address.password = '';
  return { redis: new Redis(address.href, alone), where: shown(url) };
}

function shown(url: string): string {
  const address = new URL(url);
  address.password = '';
  return address.href;
}

function credentials({ url, username, password }: RedisSettings): Pick<RedisOptions, 'username' | 'password'> {
  const inUrl = url === null ? undefined : new URL(url);
  return {
    username: username ?? (decodeURIComponent(inUrl?.username ?? '') || undefined),
    password: password ?? (decodeURIComponent(inUrl?.password ?? '') || undefined),
  };
}

function hostAndPort(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(address);
  // IPv6 stands in brackets.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function tlsOptions(settings: RedisSettings): RedisOptions['tls'] {
  if (!addressesOf(settings)[0]?.startsWith('rediss:')) return undefined;
  const { server_name } = settings.tls;
  const read = (name: 'ca_file' | 'cert_file' | 'key_file'): Buffer | undefined => {
    const path = settings.tls[name];
    if (path === null) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw new Error(`redis.tls.${name}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  return {
    ca: read('ca_file'),
    cert: read('cert_file'),
    key: read('key_file'),
    ...(server_name !== null && { servername: server_name }),
  };
}
