import { judgeMemory, memoryOf } from '../../../src/redis/memory';
import type { RedisReading } from '../../../src/redis/reading';

const MIB = 2 ** 20;
const nodes = (...each: [used: number | undefined, limit: number][]): RedisReading[] =>
  each.map(([used, limit]) => ({ usedMemoryBytes: used && used * MIB, maxmemoryBytes: limit * MIB }) as RedisReading);

describe('the memory of a Redis of several nodes', () => {
  it('is what all of them have', () => {
    const memory = memoryOf(nodes([30, 100], [60, 100]), 100 * MIB, undefined);
    expect(memory).toMatchObject({ usedBytes: 90 * MIB, limitBytes: 200 * MIB });
    expect(judgeMemory(memory, undefined)).toMatchObject({ state: 'ok', found: expect.stringContaining('90.0 MiB') });
  });

  it('has no limit where one of them has none, and is not known where one of them hides it', () => {
    const memory = memoryOf(nodes([90, 100], [90, 0]), 500 * MIB, undefined);
    expect(memory).toMatchObject({ usedBytes: 180 * MIB, limitBytes: 0 });
    expect(judgeMemory(memory, undefined).state).toBe('ok');
    expect(memoryOf(nodes([90, 100], [undefined, 100]), MIB, undefined).usedBytes).toBeUndefined();
  });
});
