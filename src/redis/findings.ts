import type { RedisSettings } from '../config/redis-schema';
import { isDurable, type RedisReading } from './reading';

export const REDIS_CHECKS = [
  'version',
  'role',
  'eviction',
  'evicted keys',
  'persistence',
  'rewrite',
  'disk',
  'refusals',
  'replicas',
  'clock',
  'user',
  'memory',
] as const;
export type RedisCheck = (typeof REDIS_CHECKS)[number];

/** One thing that was checked. `unsafe`: claims may be lost, so no act that needs the guard may start. */
export interface RedisFinding {
  check: RedisCheck;
  state: 'ok' | 'warn' | 'unsafe';
  /** How it is, and what that means. */
  found: string;
  /** The exact thing to change; `''` where nothing needs to be. */
  todo: string;
}

/** What the operator vouches for, where this Redis does not let us read it. What can be read counts, whatever stands here. */
export type Acknowledged = RedisSettings['acknowledged'];

/** A venue's clock against this machine's, as far as it was measured. */
export interface VenueClockReading {
  venue: string;
  aheadMs: number;
  errorMs: number;
  /** How far the two may be apart. */
  boundMs: number;
}

export interface JudgeOptions {
  acknowledged: Acknowledged;
  /** Replicas that a claim must reach before it counts; 0: none. */
  waitFor: number;
  clocks: readonly VenueClockReading[];
  /** The reading of the check before, whose counters are compared. */
  before?: RedisReading | undefined;
}

const ok = (check: RedisCheck, found: string): RedisFinding => ({ check, state: 'ok', found, todo: '' });
const warn = (check: RedisCheck, found: string, todo: string): RedisFinding => ({ check, state: 'warn', found, todo });
const unsafe = (check: RedisCheck, found: string, todo: string): RedisFinding => ({
  check,
  state: 'unsafe',
  found,
  todo,
});
/** `CONFIG SET` alone is forgotten at the next restart. */
const set = (setting: string): string => `run CONFIG SET ${setting} and set it in redis.conf`;
const hidden = (check: RedisCheck, what: string, lines: string): RedisFinding =>
  unsafe(
    check,
    `${what} cannot be read here`,
    `find it out and vouch for it in the configuration: redis: {acknowledged: {${lines}}}`,
  );

/** What a node's reading means for the guard's promise. What can be read counts; what is vouched for fills the gaps. */
export function judge(reading: RedisReading, options: JudgeOptions): RedisFinding[] {
  const { acknowledged } = options;
  return [
    version(reading.version ?? acknowledged.version),
    role(reading.role ?? acknowledged.role),
    eviction(reading.maxmemoryPolicy ?? acknowledged.maxmemory_policy),
    evictedKeys(reading, acknowledged.evicted_keys ?? 0),
    persistence(reading, acknowledged.persistence),
    ...rewrite(reading),
    disk(reading),
    refusals(reading, options.before),
    replicas(reading, options.waitFor),
    ...options.clocks.flatMap((venue) => clock(reading, venue)),
    user(reading),
  ];
}

function version(found: string | undefined): RedisFinding {
  if (found === undefined) return hidden('version', 'the version', 'version: "7.2.4"');
  const [major = 0, minor = 0] = found.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return ok('version', `version ${found}`);
  return unsafe('version', `version is ${found}: at least 6.2 is needed`, 'upgrade Redis');
}

function role(found: string | undefined): RedisFinding {
  if (found === undefined) return hidden('role', 'the role', 'role: master');
  if (found === 'master') return ok('role', 'the primary');
  return unsafe('role', `role is ${found}: the guard needs the primary`, 'set REDIS_URL or redis.url to it');
}

function eviction(policy: string | undefined): RedisFinding {
  if (policy === undefined) return hidden('eviction', 'maxmemory-policy', 'maxmemory_policy: noeviction');
  if (policy === 'noeviction')
    return ok('eviction', 'maxmemory-policy noeviction: a full Redis refuses, it loses nothing');
  return unsafe(
    'eviction',
    `maxmemory-policy is ${policy}: Redis would throw away claims when it is full, and an act could happen twice`,
    set('maxmemory-policy noeviction'),
  );
}

function evictedKeys({ evictedKeys: evicted }: RedisReading, lookedInto: number): RedisFinding {
  if (evicted === undefined) {
    return warn(
      'evicted keys',
      'the count of evicted keys cannot be read here',
      'watch evictions in the service itself',
    );
  }
  if (evicted <= lookedInto) return ok('evicted keys', `${evicted} keys evicted`);
  // Stays so over restarts of workers and is the same for all of them: only a person can say that nothing is missing.
  return unsafe(
    'evicted keys',
    `${evicted} keys were evicted: claims may be among them, and their acts could happen twice`,
    'run fillsafe reconcile, then CONFIG RESETSTAT; where that is denied, set ' +
      `redis: {acknowledged: {evicted_keys: ${evicted}}}`,
  );
}

function persistence(reading: RedisReading, vouched: Acknowledged['persistence']): RedisFinding {
  const { appendOnly } = reading;
  // The reading wins over a word that it contradicts.
  const fsync = appendOnly === false ? 'none' : (reading.appendfsync ?? vouched);
  if (fsync === undefined || (appendOnly === undefined && vouched === undefined)) {
    return hidden('persistence', appendOnly ? 'appendfsync' : 'persistence', 'persistence: everysec');
  }
  const word = reading.appendfsync === undefined && appendOnly !== false ? ' (vouched for)' : '';
  switch (fsync) {
    case 'always':
      return ok('persistence', `appendfsync always${word}: every claim is on disk before it counts`);
    case 'everysec':
      return warn(
        'persistence',
        `appendfsync everysec${word}: a crash of Redis loses no claim, a power cut or crash of its machine up to 2 s of them`,
        set('appendfsync always'),
      );
    case 'no':
      return warn(
        'persistence',
        `appendfsync no${word}: a crash of Redis loses no claim, a power cut or crash of its machine what the system had ` +
          'not written yet, commonly 30 s',
        set('appendfsync always'),
      );
    default:
      if (vouched === 'none') {
        return warn(
          'persistence',
          'no append-only file: a restart of Redis loses its claims, as accepted by redis.acknowledged.persistence',
          set('appendonly yes'),
        );
      }
      return unsafe(
        'persistence',
        'appendonly is off: a restart of Redis loses every claim since its last snapshot, or all',
        `${set('appendonly yes')}; to live with the loss, set redis: {acknowledged: {persistence: none}}`,
      );
  }
}

function rewrite({ appendOnly, noFsyncOnRewrite }: RedisReading): RedisFinding[] {
  if (appendOnly === false || noFsyncOnRewrite !== true) return [];
  return [
    warn(
      'rewrite',
      'no-appendfsync-on-rewrite is yes: while the file is rewritten nothing is forced to disk, whatever appendfsync says',
      set('no-appendfsync-on-rewrite no'),
    ),
  ];
}

function disk({ writeErrors }: RedisReading): RedisFinding {
  if (writeErrors === undefined) return ok('disk', 'not known');
  if (writeErrors.length === 0) return ok('disk', 'the last writes went well');
  const what = `Redis could not write to its disk (${writeErrors.join(', ')})`;
  const todo = "look into Redis's log: is the disk full, or may it not write there?";
  // The file of claims is behind; a failed rewrite or snapshot leaves the last good one in place.
  if (writeErrors.includes('aof_last_write_status')) return unsafe('disk', `${what}: new claims would not last`, todo);
  return warn('disk', what, todo);
}

function refusals({ refusedFull, refusedConnections }: RedisReading, before: RedisReading | undefined): RedisFinding {
  if (refusedFull === undefined || refusedConnections === undefined) return ok('refusals', 'not known');
  // A counter that was reset counts from nothing.
  const since = (now: number, then = 0): number => (now >= then ? now - then : now);
  const full = since(refusedFull, before?.refusedFull);
  const connections = since(refusedConnections, before?.refusedConnections);
  const when = before === undefined ? 'since its counters were reset' : 'since the last check';
  if (full > 0) {
    return warn('refusals', `Redis was full and refused ${full} commands ${when}: jobs waited`, 'raise maxmemory');
  }
  if (connections > 0) {
    return warn(
      'refusals',
      `Redis refused ${connections} connections ${when}: there were too many`,
      set('maxclients …'),
    );
  }
  return ok('refusals', `nothing refused ${when}`);
}

function replicas(
  { replicas: all, goodReplicas: good, minReplicas: least }: RedisReading,
  waitFor: number,
): RedisFinding {
  if (all === undefined || good === undefined) return ok('replicas', 'not known');
  const found = `${all} connected, ${good} of them good`;
  if (least !== undefined && good < least) {
    return unsafe(
      'replicas',
      `${found}, min-replicas-to-write is ${least}: Redis refuses every claim`,
      'bring the replicas back',
    );
  }
  if (good < waitFor) {
    return warn(
      'replicas',
      `${found}, redis.replicas.wait_for is ${waitFor}: no order is placed`,
      'bring the replicas back',
    );
  }
  if (all > 0 && waitFor === 0 && (least === undefined || least === 0)) {
    const what = least === undefined ? 'cannot be read here' : 'is 0';
    return warn(
      'replicas',
      `${found}, min-replicas-to-write ${what}: a failover loses the claims that the replica had not received`,
      `${set('min-replicas-to-write 1')}, min-replicas-max-lag 10 beside it, to bound the loss; ` +
        'redis.replicas.wait_for: 1 lets an order leave only when a replica has its claim',
    );
  }
  return ok('replicas', all === 0 ? 'none: when this machine is lost, so are the claims' : found);
}

function clock(
  { clock: redis }: RedisReading,
  { venue, aheadMs, errorMs, boundMs }: VenueClockReading,
): RedisFinding[] {
  // A venue that was not measured well enough proves nothing.
  if (redis === undefined || errorMs > boundMs) return [];
  const apartMs = redis.aheadMs - aheadMs;
  const found = `Redis is ${Math.round(Math.abs(apartMs))} ms ${apartMs < 0 ? 'behind' : 'ahead of'} ${venue}`;
  if (Math.abs(apartMs) <= boundMs + errorMs + redis.errorMs) return [ok('clock', found)];
  return [
    warn(
      'clock',
      `${found}, ${boundMs} ms are allowed`,
      "check the clock of Redis's machine (NTP); claims end by Redis's",
    ),
  ];
}

function user(reading: RedisReading): RedisFinding {
  const { user: name = 'fillsafe', mayDoAll, isLocal } = reading;
  const denied = reading.deniedWaits.filter((command) => command === 'wait' || isDurable(reading));
  if (denied.length > 0) {
    return unsafe(
      'user',
      `the user ${name} may not run ${denied.join(' and ')}, which redis.replicas.wait_for needs: no order could be placed`,
      `run ACL SETUSER ${name} ${denied.map((command) => `+${command}`).join(' ')}, then ACL SAVE`,
    );
  }
  if (reading.user === undefined) return ok('user', 'not known');
  if (name !== 'default' || !mayDoAll || isLocal) return ok('user', name);
  return warn(
    'user',
    'default, which may do everything with every key: any client can erase claims',
    'give fillsafe a user of its own, with its keys and commands alone, and restrict default',
  );
}
