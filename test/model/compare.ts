import type { Redis } from 'ioredis';
import { parseBreaker, type BreakerSettings } from '../../src/breaker/settings';
import type { Admission } from '../../src/guard/answers';
import { inflightMember, type guardKeys, type IntentRef } from '../../src/guard/keys';
import { parseRecord } from '../../src/guard/record';
import type { BreakerModel, BreakerModelSettings } from './breaker-model';
import type { Ghost } from './ghost';
import type { GuardModel } from './guard-model';
import type { ModelAdmission } from './model-record';

/** One tick of the model, ms. So long that the real time that a run takes never counts. */
export const TICK_MS = 1_000_000_000;
/** Real ms that a run may take without being mistaken for a tick. */
const DRIFT_MS = 100_000;
/** Refused callers come back over this time; while probes run they may come back this soon. */
const QUEUE_MS = 30_000;
const PROBING_WAIT_MS = 1_000;

/** The model's breaker settings in the words of the real one. */
export function breakerSettingsOf(breaker: BreakerModelSettings): BreakerSettings {
  return {
    windowMs: breaker.windowTicks * TICK_MS,
    minimumCalls: breaker.minimumCalls,
    failureRatio: breaker.failureRatio,
    openMs: breaker.openTicks * TICK_MS,
    maximumOpenMs: breaker.maximumOpenTicks * TICK_MS,
    permits: breaker.permits,
    permitMs: breaker.permitTicks * TICK_MS,
    successesToClose: breaker.successesToClose,
    reopenPerSecond: breaker.places / (QUEUE_MS / 1_000),
    mode: breaker.mode,
  };
}

export function near(actual: number, expected: number): void {
  if (Math.abs(actual - expected) > DRIFT_MS) expect(actual).toBe(expected);
}

export function compareAdmission(answer: Admission, expected: ModelAdmission, places: number): void {
  expect(answer.kind).toBe(expected.kind);
  if (answer.kind === 'GO' && expected.kind === 'GO') {
    expect(answer).toMatchObject({ sends: expected.sends, wouldBlock: expected.wouldBlock });
  }
  if (!('waitMs' in answer) || !('waitTicks' in expected)) return;
  near(answer.waitMs, expected.waitTicks * TICK_MS);
  if (!('place' in expected)) return;
  // Within its place: the same for all would bring them back as a herd.
  const pacedMs = answer.waitMs - expected.waitTicks * TICK_MS;
  const soonMs = expected.waitTicks === 0 ? PROBING_WAIT_MS : 0;
  expect(Math.abs((pacedMs - soonMs) / (QUEUE_MS / places) - expected.place)).toBeLessThan(0.4);
}

/** What Redis holds is what the model holds, and the promises hold. */
export async function compareStored(
  redis: Redis,
  world: {
    keys: ReturnType<typeof guardKeys>;
    venue: string;
    ttlMs: number;
    now: number;
    intents: { ref: IntentRef; model: GuardModel; ghost: Ghost }[];
    breaker: BreakerModel | undefined;
  },
): Promise<void> {
  const { keys, venue, ttlMs, now, intents, breaker } = world;
  const pipeline = redis.pipeline();
  for (const { ref } of intents) pipeline.get(keys.record(ref)).pttl(keys.record(ref));
  pipeline.zrange(keys.inflight(venue), 0, -1).get(keys.breaker(venue, 'order.place'));
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const unresolved: string[] = [];
  intents.forEach(({ ref, model, ghost }, i) => {
    const raw = replies[2 * i] as string | null;
    const ttl = replies[2 * i + 1] as number;
    const expected = model.record;
    ghost.stored(raw);
    if (!expected) return expect(raw).toBeNull();
    const record = parseRecord(raw ?? '');
    const { state, fingerprint, owner, sends, attempts, looks, absents } = expected;
    expect(record).toMatchObject({ state, fingerprint, owner, sends, attempts, looks, absents });
    expect(sends).toBe(ghost.sends);
    for (const time of ['leaseUntil', 'quiesceAt'] as const) {
      if (expected[time] === 0) expect(record[time]).toBe(0);
      else near(record[time] - Date.now(), (expected[time] - now) * TICK_MS);
    }
    if (model.unresolved) {
      unresolved.push(inflightMember(ref));
      expect(ttl).toBe(-1);
    } else {
      expect(ttl).toBeGreaterThan(0);
      near(ttl, ttlMs);
    }
  });
  expect((replies[2 * intents.length] as string[]).sort()).toEqual(unresolved.sort());
  if (!breaker) return;
  const stored = parseBreaker(replies[2 * intents.length + 1] as string | null);
  expect(stored).toMatchObject({ state: breaker.state, openings: breaker.openings });
  expect(breaker.livePermits(now)).toBeLessThanOrEqual(breaker.settings.permits);
}
