import { judge, type JudgeOptions, type RedisFinding } from '../../../src/redis/findings';
import type { RedisReading } from '../../../src/redis/reading';

const good: RedisReading = {
  address: '10.0.0.1:6379',
  version: '7.2.4',
  role: 'master',
  maxmemoryPolicy: 'noeviction',
  appendOnly: true,
  appendfsync: 'always',
  noFsyncOnRewrite: false,
  writeErrors: [],
  evictedKeys: 0,
  refusedFull: 0,
  refusedConnections: 0,
  usedMemoryBytes: 1_000_000,
  maxmemoryBytes: 0,
  replicas: 0,
  goodReplicas: 0,
  minReplicas: 0,
  user: 'fillsafe',
  mayDoAll: false,
  deniedWaits: [],
  isLocal: false,
  clock: { aheadMs: 0, errorMs: 1 },
};
const judged = (over: Partial<RedisReading>, options: Partial<JudgeOptions> = {}): RedisFinding[] =>
  judge({ ...good, ...over }, { acknowledged: {}, waitFor: 0, clocks: [], ...options }).filter(
    ({ state }) => state !== 'ok',
  );

describe('what a reading of Redis means', () => {
  it('is nothing to say of a good one', () => {
    expect(judged({})).toEqual([]);
  });

  it.each(['6.0.16', '5.0.0', '2.8'])('is that version %s is too old', (version) => {
    expect(judged({ version })).toEqual([
      expect.objectContaining({
        check: 'version',
        state: 'unsafe',
        found: `version is ${version}: at least 6.2 is needed`,
      }),
    ]);
  });

  it.each(['6.2.0', '7.0.15', '8.2.3', '10.0.0'])('is that version %s will do', (version) => {
    expect(judged({ version })).toEqual([]);
  });

  it('is that claims do not last where the append-only file cannot be written', () => {
    expect(judged({ writeErrors: ['aof_last_write_status'] })).toEqual([
      expect.objectContaining({ check: 'disk', state: 'unsafe', todo: expect.stringContaining('is the disk full') }),
    ]);
    expect(judged({ writeErrors: ['aof_last_bgrewrite_status'] })).toEqual([
      expect.objectContaining({ check: 'disk', state: 'warn' }),
    ]);
  });

  it('is that a user who may do everything is too much, but for a Redis that only its own machine reaches', () => {
    const all = { user: 'default', mayDoAll: true };
    expect(judged(all)).toEqual([expect.objectContaining({ check: 'user', state: 'warn' })]);
    expect(judged({ ...all, isLocal: true })).toEqual([]);
    expect(judged({ ...all, mayDoAll: false })).toEqual([]);
  });

  it('counts from nothing after the counters of Redis were reset', () => {
    const before = { ...good, refusedFull: 10, refusedConnections: 10 };
    expect(judged({ refusedFull: 10, refusedConnections: 10 }, { before })).toEqual([]);
    expect(judged({ refusedFull: 2, refusedConnections: 10 }, { before })).toEqual([
      expect.objectContaining({ found: expect.stringContaining('refused 2 commands since the last check') }),
    ]);
  });
});
