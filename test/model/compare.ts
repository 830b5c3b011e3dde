import type { Redis } from 'ioredis';
import type { BreakerSettings } from '../../src/breaker/settings';
import { parseBreaker } from '../../src/breaker/snapshot';
import type { Admission } from '../../src/guard/answers';
import { inflightMember, type guardKeys } from '../../src/guard/keys';
import { parseRecord } from '../../src/guard/record';
import type { BreakerModelSettings } from './breaker-model';
import type { Intent } from './intent';
import type { LevelsModel } from './levels-model';
import type { ModelAdmission } from './model-record';
import type { World } from './world';

/** One tick of the model, ms. So long that the real time that a run takes never counts. */
export const TICK_MS = 1_000_000_000;
/** Refused callers come back over this time. */
const QUEUE_MS = 30_000;
/** A call that takes longer is slow: less than the real time that counts for nothing. */
export const SLOW_MS = 50;

/** The model's breaker settings in the words of the real one. */
export function breakerSettingsOf(breaker: BreakerModelSettings): BreakerSettings {
  return {
    windowMs: breaker.windowTicks * TICK_MS,
    minimumCalls: breaker.minimumCalls,
    failureRatio: breaker.failureRatio,
    slowMs: SLOW_MS,
    slowRatio: breaker.slowRatio,
    failuresInRow: breaker.failuresInRow,
    quorum: breaker.quorum,
    openMs: breaker.openTicks * TICK_MS,
    maximumOpenMs: breaker.maximumOpenTicks * TICK_MS,
    permits: breaker.permits,
    permitMs: breaker.permitTicks * TICK_MS,
    successesToClose: breaker.successesToClose,
    rampMs: breaker.rampMs,
    reopenPerSecond: breaker.places / (QUEUE_MS / 1_000),
    mode: breaker.mode,
  };
}

/** As `expect(actual).toBe(expected)`, which takes longer than a script: it is asked only for its words. */
export function same<T>(actual: T, expected: T): void {
  if (actual !== expected) expect(actual).toBe(expected);
}

/** The same moment, give or take what a run may take. */
export function near(actual: number, expected: number, { drift }: Pick<World, 'drift'>): void {
  if (!(Math.abs(actual - expected) <= drift)) expect(actual).toBe(expected);
}

export function compareAdmission(
  answer: Admission,
  expected: ModelAdmission,
  { places, world }: { places: number; world: World },
): void {
  same(answer.kind, expected.kind);
  if (answer.kind === 'GO' && expected.kind === 'GO') {
    same(answer.sends, expected.sends);
    same(answer.wouldBlock, expected.wouldBlock);
  }
  if (answer.kind === 'PROBE' && expected.kind === 'PROBE') same(answer.level, expected.level);
  if (answer.kind === 'OPEN' && expected.kind === 'OPEN') same(answer.level, expected.level);
  if ('waitMs' in answer && 'waitTicks' in expected) compareWait(answer, expected, { places, world });
}

/** When to come back; where a breaker says so, within a place of the queue. */
export function compareWait(
  answer: { waitMs: number },
  expected: { waitTicks: number } | { waitTicks: number; soonMs: number; place: number },
  { places, world }: { places: number; world: World },
): void {
  if (!('place' in expected)) return near(answer.waitMs, expected.waitTicks * TICK_MS, world);
  // Within its place: the same for all would bring them back as a herd.
  const pacedMs = answer.waitMs - expected.waitTicks * TICK_MS;
  near(pacedMs - expected.soonMs, (expected.place * QUEUE_MS) / places, { drift: QUEUE_MS / places / 2 - 1 });
}

/** What Redis holds is what the model holds, and the promises hold. */
export async function compareStored(
  redis: Redis,
  held: {
    keys: ReturnType<typeof guardKeys>;
    venue: string;
    world: World;
    now: number;
    /** The same moment by Redis's own clock. */
    redisMs: number;
    intents: Intent[];
    breaker: LevelsModel | undefined;
  },
): Promise<void> {
  const { keys, venue, world, now, intents, breaker } = held;
  const nowMs = held.redisMs;
  const pipeline = redis.pipeline();
  for (const { ref } of intents) pipeline.get(keys.record(ref)).pttl(keys.record(ref));
  pipeline.zrange(keys.inflight(venue), 0, -1);
  for (const { name } of breaker?.every ?? []) pipeline.get(keys.breaker(venue, name));
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const unresolved: string[] = [];
  intents.forEach(({ ref, model, ghost, life }, i) => {
    const raw = replies[2 * i] as string | null;
    const ttl = replies[2 * i + 1] as number;
    const expected = model.record;
    ghost.stored(raw);
    const left = life.left(now, { raw, resolved: expected !== undefined && !model.unresolved });
    if (!expected) return same(raw, null);
    const record = parseRecord(raw ?? '');
    for (const field of ['state', 'fingerprint', 'owner', 'sends', 'attempts', 'looks', 'absents'] as const) {
      if (record[field] !== expected[field]) expect({ [field]: record[field] }).toEqual({ [field]: expected[field] });
    }
    same(expected.sends, ghost.sends);
    for (const time of ['leaseUntil', 'quiesceAt'] as const) {
      if (expected[time] === 0) same(record[time], 0);
      else near(record[time] - nowMs, (expected[time] - now) * TICK_MS, world);
    }
    if (model.unresolved) {
      unresolved.push(inflightMember(ref));
      same(ttl, -1);
    } else near(ttl, left * TICK_MS, world);
  });
  same((replies[2 * intents.length] as string[]).sort().join(' '), unresolved.sort().join(' '));
  if (!breaker) return;
  breaker.every.forEach(({ breaker: level }, i) => {
    const stored = parseBreaker(replies[2 * intents.length + 1 + i] as string | null);
    for (const [field, shown] of Object.entries(level.shown)) {
      if (stored[field as keyof typeof stored] !== shown) expect(stored).toMatchObject(level.shown);
    }
    if (level.state === 'OPEN') near(stored.openUntil - nowMs, (level.openUntil - now) * TICK_MS, world);
    if (level.holdUntil > now) near(stored.holdUntil - nowMs, (level.holdUntil - now) * TICK_MS, world);
    if (stored.permits > level.settings.permits) throw new Error('more probes than permits');
  });
}
