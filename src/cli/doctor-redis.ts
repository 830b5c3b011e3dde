import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { checkRedis } from '../redis/safety';
import type { Finding } from './doctor';
import { errorText } from './output';

/** Above this share of its memory Redis will soon refuse claims, and no job would start. */
const FULL_SHARE = 0.8;

/** Whether Redis is there and keeps what the guard writes. */
export async function checkRedisService(config: FillsafeConfig): Promise<Finding[]> {
  try {
    const store = await openGuard(config);
    try {
      const safety = await checkRedis(store.redis);
      const { version, maxmemoryPolicy, appendOnly, usedMemoryBytes, maxmemoryBytes } = safety;
      const kept = appendOnly ? 'append-only file on' : 'no append-only file';
      const findings: Finding[] = [
        { state: 'ok', what: 'Redis', found: `version ${version}, policy ${maxmemoryPolicy}, ${kept}` },
        memory(usedMemoryBytes, maxmemoryBytes),
      ];
      const told = (state: Finding['state']) => (problem: string) => ({ state, what: 'Redis', found: problem });
      return [...findings, ...safety.problems.map(told('fail')), ...safety.warnings.map(told('warn'))];
    } finally {
      store.close();
    }
  } catch (error) {
    return [{ state: 'fail', what: 'Redis', found: errorText(error), todo: 'no order is placed without it' }];
  }
}

function memory(used: number, most: number): Finding {
  const inMiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const found = most > 0 ? `${inMiB(used)} of ${inMiB(most)} used` : `${inMiB(used)} used, no limit set`;
  if (most === 0 || used / most < FULL_SHARE) return { state: 'ok', what: 'Redis memory', found };
  return {
    state: 'warn',
    what: 'Redis memory',
    found,
    todo: 'raise maxmemory: a full Redis refuses claims, and jobs wait',
  };
}
