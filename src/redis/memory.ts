import type { RedisFinding } from './findings';
import type { RedisReading } from './reading';

/** How fast records pile up, as far as it is known. */
export interface Growth {
  /** GOs a second, of all workers, while this one watched. */
  perSecond: number;
  /** Life of a record. */
  ttlSeconds: number;
  /** As Redis holds one that has ended. */
  recordBytes: number;
}

export interface Memory {
  usedBytes: number | undefined;
  /** 0: no limit. */
  limitBytes: number;
  budgetBytes: number;
  /** What records come to when as many end as begin; `undefined` while too little is known. */
  forecastBytes: number | undefined;
}

/** Share of `maxmemory` from which on Redis will soon refuse claims. */
const FULL_SHARE = 0.8;

/** Over all nodes. The forecast is rate × life × bytes of a record: what Redis will hold once records end as fast as they begin. */
export function memoryOf(readings: readonly RedisReading[], budgetBytes: number, growth: Growth | undefined): Memory {
  const used = readings.flatMap(({ usedMemoryBytes }) => usedMemoryBytes ?? []);
  const limits = readings.map(({ maxmemoryBytes }) => maxmemoryBytes ?? 0);
  return {
    usedBytes: used.length < readings.length ? undefined : sum(used),
    limitBytes: limits.includes(0) ? 0 : sum(limits),
    budgetBytes,
    forecastBytes: growth && growth.perSecond * growth.ttlSeconds * growth.recordBytes,
  };
}

export function judgeMemory(memory: Memory, growth: Growth | undefined): RedisFinding {
  const { usedBytes, limitBytes, budgetBytes, forecastBytes } = memory;
  const used = usedBytes === undefined ? 'not known' : `${inMiB(usedBytes)} used`;
  const limit = limitBytes === 0 ? 'no limit set' : `maxmemory ${inMiB(limitBytes)}`;
  const coming =
    growth === undefined || forecastBytes === undefined
      ? ''
      : `; ${growth.perSecond.toFixed(2)} acts/s × ${growth.ttlSeconds} s × ${Math.round(growth.recordBytes)} B ` +
        `a record come to ${inMiB(forecastBytes)}`;
  const found = `${used}, budget ${inMiB(budgetBytes)}, ${limit}${coming}`;
  const warn = (why: string, todo: string): RedisFinding => ({
    check: 'memory',
    state: 'warn',
    found: `${found}: ${why}`,
    todo,
  });
  const most = Math.max(usedBytes ?? 0, forecastBytes ?? 0);
  if (limitBytes > 0 && (usedBytes ?? 0) > limitBytes * FULL_SHARE)
    return warn('a full Redis refuses claims, and jobs wait', 'raise maxmemory');
  if (limitBytes > 0 && most > limitBytes) return warn('Redis will be full, and jobs wait', 'raise maxmemory');
  if (most > budgetBytes) {
    return warn(
      usedBytes !== undefined && usedBytes > budgetBytes ? 'more than planned' : 'more than planned is coming',
      'raise redis.memory_budget_mb if Redis has room for it, else lower retry.redis.ttl_seconds',
    );
  }
  return { check: 'memory', state: 'ok', found, todo: '' };
}

function inMiB(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((so, each) => so + each, 0);
}
