import { primaries, type RedisConnection } from './client-options';
import { judge, type JudgeOptions, type RedisFinding } from './findings';
import { judgeMemory, memoryOf, type Growth, type Memory } from './memory';
import { readRedis, type RedisReading } from './reading';

/** What one check of a Redis, or of all primaries of a cluster, brought. */
export interface RedisSafety {
  findings: RedisFinding[];
  readings: RedisReading[];
  memory: Memory;
  /** Why this Redis must not be used, each with what to change. */
  problems: string[];
  /** What weakens the promise without breaking it. */
  warnings: string[];
}

export interface CheckOptions extends Omit<JudgeOptions, 'before'> {
  memoryBudgetBytes: number;
  growth?: Growth | undefined;
  /** The check before this one. */
  before?: RedisSafety | undefined;
}

/** Whether this Redis keeps what the guard's promise rests on. Rejects when it does not answer. */
export async function checkRedis(redis: RedisConnection, options: CheckOptions): Promise<RedisSafety> {
  const nodes = primaries(redis);
  if (nodes.length === 0) throw new Error('no primary of the cluster can be reached');
  const readings = await Promise.all(nodes.map((node) => readRedis(node, { waits: options.waitFor > 0 })));
  const perNode = readings.map((reading) => {
    const before = options.before?.readings.find(({ address }) => address === reading.address);
    const findings = judge(reading, { ...options, before });
    if (readings.length === 1) return findings;
    return findings.map((finding) => ({ ...finding, found: `${reading.address}: ${finding.found}` }));
  });
  const memory = memoryOf(readings, options.memoryBudgetBytes, options.growth);
  const findings = [...perNode.flat(), judgeMemory(memory, options.growth)];
  const told = (state: RedisFinding['state']): string[] =>
    findings.filter((finding) => finding.state === state).map(({ found, todo }) => `${found}; ${todo}`);
  return { findings, readings, memory, problems: told('unsafe'), warnings: told('warn') };
}

/** This Redis would lose claims: nothing is started on it. */
export class UnsafeRedisError extends Error {
  override readonly name = 'UnsafeRedisError';

  constructor(readonly problems: string[]) {
    super(`this Redis is not safe for the guard:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}
