import type { Redis } from 'ioredis';

/** What one Redis node tells of itself; `undefined` where it hides it. */
export interface RedisReading {
  /** `host:port`, as this process reaches it. */
  address: string;
  version: string | undefined;
  role: string | undefined;
  maxmemoryPolicy: string | undefined;
  appendOnly: boolean | undefined;
  appendfsync: string | undefined;
  noFsyncOnRewrite: boolean | undefined;
  /** What Redis could last not write to its disk; empty when all is well. */
  writeErrors: string[] | undefined;
  evictedKeys: number | undefined;
  /** Commands refused because Redis was full, since its counters were reset. */
  refusedFull: number | undefined;
  /** Connections refused because there were too many, since then. */
  refusedConnections: number | undefined;
  usedMemoryBytes: number | undefined;
  /** 0: no limit. */
  maxmemoryBytes: number | undefined;
  replicas: number | undefined;
  /** Of these, connected and not behind by more than `min-replicas-max-lag`. */
  goodReplicas: number | undefined;
  minReplicas: number | undefined;
  /** The user of this connection. */
  user: string | undefined;
  /** Whether that user may do everything with every key. */
  mayDoAll: boolean;
  /** Of the commands that wait for replicas, those that this user may not give. */
  deniedWaits: string[];
  /** Whether only its own machine can reach it. */
  isLocal: boolean;
  /** How far its clock is ahead of this machine's, and how far that may be wrong. */
  clock: { aheadMs: number; errorMs: number } | undefined;
}

const WRITE_STATES = ['aof_last_write_status', 'aof_last_bgrewrite_status', 'rdb_last_bgsave_status'];

/**
 * Asks a node for everything that matters to the guard's promise. A command that is denied or renamed leaves a gap; a node
 * that does not answer rejects.
 *
 * @param options.waits whether claims wait for replicas: only then is it tried whether this user may.
 */
export async function readRedis(redis: Redis, { waits }: { waits: boolean }): Promise<RedisReading> {
  const setting = async (name: string): Promise<string | undefined> =>
    ((await unlessHidden(redis.config('GET', name))) as string[] | undefined)?.[1];
  const [text, appendfsync, noFsyncOnRewrite, minReplicas, maxLag, bind, rights, deniedWaits, clock] =
    await Promise.all([
      unlessHidden(redis.info()),
      setting('appendfsync'),
      setting('no-appendfsync-on-rewrite'),
      setting('min-replicas-to-write'),
      setting('min-replicas-max-lag'),
      setting('bind'),
      readRights(redis),
      waits ? readDeniedWaits(redis) : [],
      readClock(redis),
    ]);
  const info = parseInfo(text ?? '');
  // Tells version and role also where INFO is closed.
  const hello = text === undefined ? pairs(await unlessHidden(redis.call('HELLO'))) : new Map<string, unknown>();
  const { host = '', port = '' } = redis.options;
  const replicas = [...info].filter(([name]) => /^slave\d+$/.test(name)).map(([, fields]) => fields);
  return {
    address: `${host}:${port}`,
    version: info.get('redis_version') ?? textOf(hello.get('version')),
    role: info.get('role') ?? textOf(hello.get('role')),
    maxmemoryPolicy: info.get('maxmemory_policy') ?? (await setting('maxmemory-policy')),
    appendOnly: yes(info.get('aof_enabled') ?? (await setting('appendonly'))),
    appendfsync,
    noFsyncOnRewrite: yes(noFsyncOnRewrite),
    writeErrors: text === undefined ? undefined : WRITE_STATES.filter((state) => info.get(state) === 'err'),
    evictedKeys: numberOf(info.get('evicted_keys')),
    // A kind of error that never occurred has no line.
    refusedFull: text === undefined ? undefined : Number(/count=(\d+)/.exec(info.get('errorstat_OOM') ?? '')?.[1] ?? 0),
    refusedConnections: numberOf(info.get('rejected_connections')),
    usedMemoryBytes: numberOf(info.get('used_memory')),
    maxmemoryBytes: numberOf(info.get('maxmemory')),
    replicas: numberOf(info.get('connected_slaves')),
    goodReplicas: text === undefined ? undefined : replicas.filter((fields) => isGood(fields, maxLag)).length,
    minReplicas: numberOf(minReplicas),
    ...rights,
    deniedWaits,
    isLocal: bind !== undefined && bind !== '' && bind.split(' ').every((each) => /^-?(127\.|::1$)/.test(each)),
    clock,
  };
}

async function readRights(redis: Redis): Promise<{ user: string | undefined; mayDoAll: boolean }> {
  const user = textOf(await unlessHidden(redis.call('ACL', 'WHOAMI')));
  // One that was made for fillsafe may not ask, and need not.
  if (user !== 'default') return { user, mayDoAll: false };
  const rights = pairs(await unlessHidden(redis.call('ACL', 'GETUSER', user)));
  const keys = String(rights.get('keys'));
  return { user, mayDoAll: rights.get('commands') === '+@all' && (keys === '*' || keys === '~*') };
}

/** Waits for none, which is over at once. */
async function readDeniedWaits(redis: Redis): Promise<string[]> {
  const [wait, waitAof] = await Promise.all([
    unlessHidden(redis.call('WAIT', 0, 0)),
    unlessHidden(redis.call('WAITAOF', 0, 0, 0)),
  ]);
  return [wait === undefined ? ['wait'] : [], waitAof === undefined ? ['waitaof'] : []].flat();
}

async function readClock(redis: Redis): Promise<RedisReading['clock']> {
  const [askedAt, from] = [Date.now(), performance.now()];
  const time = await unlessHidden(redis.time());
  if (time === undefined) return undefined;
  // Redis may have read its clock at any point of the round trip.
  const halfMs = (performance.now() - from) / 2;
  return { aheadMs: Number(time[0]) * 1_000 + Number(time[1]) / 1_000 - askedAt - halfMs, errorMs: halfMs + 1 };
}

/** Whether it forces every claim to disk before it answers, and can wait until replicas have done so too. */
export function isDurable({ appendfsync, appendOnly, version = '' }: RedisReading): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return appendOnly === true && appendfsync === 'always' && (major > 7 || (major === 7 && minor >= 2));
}

function isGood(fields: string, maxLag = '10'): boolean {
  const lag = /lag=(\d+)/.exec(fields)?.[1];
  return fields.includes('state=online') && (lag === undefined || Number(lag) <= Number(maxLag));
}

/** The answer, or `undefined` when this Redis does not let us ask: the command is denied or was renamed. */
async function unlessHidden<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown (sub)?command)/i.test(error.message)) return undefined;
    throw error;
  }
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** A reply of names and values in turn. */
function pairs(reply: unknown): Map<unknown, unknown> {
  const list = Array.isArray(reply) ? (reply as unknown[]) : [];
  return new Map(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]] as const] : [])));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function yes(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'yes' || text === '1';
}
