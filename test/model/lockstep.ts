import type { Redis } from 'ioredis';
import type { BreakerSettings } from '../../src/breaker/settings';
import { parseBreaker } from '../../src/breaker/settings';
import { Guard, type Admission } from '../../src/guard/guard';
import { guardKeys, inflightMember, type IntentRef } from '../../src/guard/keys';
import { parseRecord } from '../../src/guard/record';
import { BreakerModel, type BreakerModelSettings, type BreakerRow } from './breaker-model';
import { GuardModel } from './guard-model';
import type { ModelAdmission, ModelSettings } from './model-record';
import type { GuardRow } from './guard-rows';
import type { Op } from './ops';
import { Ghost } from './ghost';
import { rewrite, shiftBreaker, shiftRecord } from './shift-time';

/** One tick of the model, ms. So long that the real time that a run takes never counts. */
export const TICK_MS = 1_000_000_000;
/** Real ms that a run may take without being mistaken for a tick. */
const DRIFT_MS = 100_000;
/** Refused callers come back over this time; while probes run they may come back this soon. */
const QUEUE_MS = 30_000;
const PROBING_WAIT_MS = 1_000;
const TTL_MS = 7 * TICK_MS;
const VENUE = 'paper';

const PRINTS = ['1:aa', '1:bb', '2:cc'];

/** Runs every step against the scripts on a real Redis and against the model, and compares all that can be seen. */
export class Lockstep {
  steps = 0;
  private readonly guard: Guard;
  private readonly keys: ReturnType<typeof guardKeys>;
  private readonly breakerSettings: BreakerSettings | undefined;
  private readonly breaker: BreakerModel | undefined;
  private readonly intents: { ref: IntentRef; model: GuardModel; ghost: Ghost; last?: Op & { op: 'admit' } }[];
  private readonly gos: { intent: number; go: number; fence: string }[] = [];
  private readonly looks: { intent: number; look: number; fence: string; token: number }[] = [];
  private exempted = 0;
  private now = 0;
  private going = 0;

  constructor(
    private readonly redis: Redis,
    private readonly options: {
      namespace: string;
      intents: number;
      settings: ModelSettings;
      breaker?: BreakerModelSettings;
      hit: (row: GuardRow | BreakerRow) => void;
    },
  ) {
    const { namespace, settings, breaker, hit } = options;
    this.guard = new Guard(redis, { namespace, ttlMs: TTL_MS });
    this.keys = guardKeys(namespace);
    this.breaker = breaker && new BreakerModel(breaker, hit);
    this.breakerSettings = breaker && {
      windowMs: breaker.windowTicks * TICK_MS,
      minimumCalls: breaker.minimumCalls,
      failureRatio: breaker.failureRatio,
      openMs: breaker.openTicks * TICK_MS,
      maximumOpenMs: breaker.maximumOpenTicks * TICK_MS,
      permits: breaker.permits,
      permitMs: breaker.permitTicks * TICK_MS,
      successesToClose: breaker.successesToClose,
      reopenPerSecond: breaker.places / 30,
      mode: breaker.mode,
    };
    this.intents = Array.from({ length: options.intents }, (_, i) => ({
      ref: { venue: VENUE, jobType: 'order.place', intentId: `i:${i}` },
      model: new GuardModel(settings, hit),
      ghost: new Ghost(settings),
    }));
  }

  async step(op: Op): Promise<void> {
    this.steps += 1;
    await this.apply(op);
    await this.compare();
  }

  private async apply(op: Op): Promise<void> {
    switch (op.op) {
      case 'admit':
        return this.admit(op);
      case 'resend': {
        const { last } = this.at(op.intent);
        return last && this.admit(last);
      }
      case 'retry': {
        const { last } = this.at(op.intent);
        return last && this.admit({ ...last, attempt: last.attempt + 1, knownUnsent: op.knownUnsent });
      }
      case 'settle':
        return this.settle(op);
      case 'lookBegin':
        return this.lookBegin(op);
      case 'look': {
        const before = this.looks.length;
        await this.lookBegin({ op: 'lookBegin', intent: op.intent, looker: 0, givenUp: -1, print: 0, ends: false });
        if (this.looks.length === before) return;
        return this.lookEnd({ op: 'lookEnd', look: 0, verdict: op.verdict });
      }
      case 'absence':
        for (const ticks of [3, 2]) {
          await this.step({ op: 'pass', ticks });
          await this.step({ op: 'look', intent: op.intent, verdict: 'absent' });
        }
        return;
      case 'lookEnd':
        return this.lookEnd(op);
      case 'resolve':
        return this.resolve(op);
      case 'expire': {
        const intent = this.at(op.intent);
        if (intent.model.unresolved) return;
        return this.drop(intent, false);
      }
      case 'lose':
        return this.drop(this.at(op.intent), true);
      case 'exempt':
        return this.exempt();
      case 'pass':
        return this.pass(op.ticks);
    }
  }

  private at(intent: number) {
    const found = this.intents[intent % this.intents.length];
    if (!found) throw new Error('no intent');
    return found;
  }

  private async admit(op: Op & { op: 'admit' }): Promise<void> {
    const intent = this.at(op.intent);
    const { settings } = this.options;
    const caller = {
      owner: `owner-${op.owner}`,
      attempt: op.attempt,
      nonce: `n${op.nonce}`,
      fingerprint: PRINTS[op.print] ?? '',
      knownUnsent: op.knownUnsent,
    };
    intent.last = op;
    const absent = intent.model.record === undefined;
    const answer = await this.guard.admit(intent.ref, {
      owner: { activity: caller.owner, attempt: caller.attempt, nonce: caller.nonce },
      fingerprint: caller.fingerprint,
      leaseMs: settings.leaseTicks * TICK_MS,
      quiesceMs: settings.quiesceTicks * TICK_MS,
      knownUnsent: op.knownUnsent,
      mostSends: settings.mostSends,
      breaker: this.breakerSettings,
    });
    const expected = intent.model.admit(this.now, caller, this.breaker, () => (this.going += 1));
    this.compareAdmission(answer, expected);
    if (absent && answer.kind === 'UNKNOWN') intent.ghost.presumed();
    if (answer.kind !== 'GO' || expected.kind !== 'GO') return;
    if (!expected.fresh) {
      expect(answer.fence).toBe(this.gos.find(({ go }) => go === expected.go)?.fence);
      return;
    }
    intent.ghost.gone(this.now, answer, {
      owner: caller.owner,
      excused: absent && (op.attempt === 1 || op.knownUnsent),
    });
    this.gos.push({ intent: op.intent, go: expected.go, fence: answer.fence });
  }

  private compareAdmission(answer: Admission, expected: ModelAdmission): void {
    expect(answer.kind).toBe(expected.kind);
    if (answer.kind === 'GO' && expected.kind === 'GO') {
      expect(answer).toMatchObject({ sends: expected.sends, wouldBlock: expected.wouldBlock });
    }
    if ('waitMs' in answer && 'waitTicks' in expected) {
      near(answer.waitMs, expected.waitTicks * TICK_MS);
      if ('place' in expected) this.comparePlace(answer.waitMs - expected.waitTicks * TICK_MS, expected);
    }
  }

  /** Within its place: the same for all would bring them back as a herd. */
  private comparePlace(pacedMs: number, { place, waitTicks }: { place: number; waitTicks: number }): void {
    const betweenMs = QUEUE_MS / (this.breaker?.settings.places ?? 1);
    const soonMs = waitTicks === 0 ? PROBING_WAIT_MS : 0;
    expect(Math.abs((pacedMs - soonMs) / betweenMs - place)).toBeLessThan(0.4);
  }

  private async settle(op: Op & { op: 'settle' }): Promise<void> {
    const mine = pick(this.gos, op.go);
    if (!mine) return;
    const intent = this.at(mine.intent);
    const payload = JSON.stringify({ ended: op.ending, go: mine.go });
    const request = { fence: mine.fence, ending: op.ending, payload, health: op.health };
    // The fence is the moment of GO, which moved into the past with everything else: what has passed since is in it.
    const answer = await this.guard.settle(intent.ref, { ...request, elapsedMs: 0, breaker: this.breakerSettings });
    const expected = intent.model.settle(mine.go, op.ending);
    expect(answer.kind).toBe(expected.kind);
    if (!expected.first) return;
    this.breaker?.record(this.now, mine.go, op.health);
    intent.ghost.settled(mine.fence, op.ending);
  }

  private async lookBegin(op: Op & { op: 'lookBegin' }): Promise<void> {
    const intent = this.at(op.intent);
    const { settings } = this.options;
    const request = {
      looker: `looker-${op.looker}`,
      givenUp: op.givenUp < 0 ? '' : `owner-${op.givenUp}`,
      fingerprint: PRINTS[op.print] ?? '',
    };
    const created = intent.model.record === undefined;
    const answer = await this.guard.lookBegin(intent.ref, {
      ...request,
      leaseMs: settings.lookLeaseTicks * TICK_MS,
      quiesceMs: settings.quiesceTicks * TICK_MS,
      mostLooks: settings.mostLooks,
      refusal: op.ends ? '{"category":"NOT_EXECUTED"}' : '',
    });
    const expected = intent.model.lookBegin(this.now, { ...request, ends: op.ends });
    if (created) intent.ghost.presumed();
    // Who is told to come back will say it again.
    if (answer.kind !== 'CONFLICT' && answer.kind !== 'BUSY') intent.ghost.gaveUp(request.givenUp);
    expect(answer.kind).toBe(expected.kind);
    if (answer.kind === 'BUSY' && 'waitTicks' in expected) near(answer.waitMs, expected.waitTicks * TICK_MS);
    if (answer.kind === 'LOOK' && 'look' in expected) {
      near(answer.toQuiescenceMs, expected.toQuiescence * TICK_MS);
      const token = intent.ghost.looked(this.now);
      this.looks.push({ intent: op.intent, look: expected.look, fence: answer.fence, token });
    }
  }

  private async lookEnd(op: Op & { op: 'lookEnd' }): Promise<void> {
    const mine = pick(this.looks, op.look);
    if (!mine) return;
    const intent = this.at(mine.intent);
    const { gapTicks, quiesceTicks, agreeing } = this.options.settings;
    const answer = await this.guard.lookEnd(intent.ref, {
      fence: mine.fence,
      verdict: op.verdict,
      payload: JSON.stringify({ seen: op.verdict }),
      absence: { gapMs: gapTicks * TICK_MS, quiesceMs: quiesceTicks * TICK_MS, looks: agreeing },
    });
    const expected = intent.model.lookEnd(mine.look, op.verdict);
    expect(answer.kind).toBe(expected.kind);
    if (answer.kind === 'AGAIN') expect(answer.waitMs).toBeGreaterThanOrEqual(0);
    if (answer.kind !== 'FENCED') intent.ghost.saw(mine.token, op.verdict);
  }

  private async resolve(op: Op & { op: 'resolve' }): Promise<void> {
    const intent = this.at(op.intent);
    const audit = this.keys.audit(VENUE);
    const rows = await this.redis.xlen(audit);
    const answer = await this.guard.resolve(intent.ref, {
      decision: op.decision,
      payload: '{"why":"decided"}',
      actor: 'ada',
      reason: 'seen at the venue',
    });
    const expected = intent.model.resolve(this.now, op.decision);
    expect(answer.kind).toBe(expected.kind);
    expect((await this.redis.xlen(audit)) - rows).toBe(answer.kind === 'OK' ? 1 : 0);
    if (answer.kind === 'OK') intent.ghost.decided(op.decision);
  }

  private async drop(intent: ReturnType<Lockstep['at']>, lost: boolean): Promise<void> {
    await this.redis.del(this.keys.record(intent.ref));
    await this.redis.zrem(this.keys.inflight(VENUE), inflightMember(intent.ref));
    intent.model.forget();
    intent.ghost.forgotten(lost);
  }

  private async exempt(): Promise<void> {
    this.exempted += 1;
    const ref = { venue: VENUE, jobType: 'order.cancel', intentId: `c:${this.exempted}` };
    const owner = { activity: 'canceller', attempt: 1, nonce: 'n' };
    const times = { leaseMs: TICK_MS, quiesceMs: 0 };
    const answer = await this.guard.admit(ref, {
      owner,
      fingerprint: '1:aa',
      ...times,
      knownUnsent: false,
      mostSends: 9,
    });
    if (answer.kind !== 'GO') throw new Error(`an act that no breaker may hold was answered ${answer.kind}`);
    const end = { ending: 'done', payload: '{}', elapsedMs: 0, health: 'none' } as const;
    await this.guard.settle(ref, { fence: answer.fence, ...end });
  }

  private async pass(ticks: number): Promise<void> {
    const ms = ticks * TICK_MS;
    this.now += ticks;
    for (const { ref } of this.intents) await rewrite(this.redis, this.keys.record(ref), (raw) => shiftRecord(raw, ms));
    const { breakerSettings } = this;
    if (!breakerSettings) return;
    await rewrite(this.redis, this.keys.breaker(VENUE, 'order.place'), (raw) =>
      shiftBreaker(raw, ms, breakerSettings.windowMs),
    );
  }

  /** What Redis holds is what the model holds, and the promises hold. */
  private async compare(): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (const { ref } of this.intents) pipeline.get(this.keys.record(ref)).pttl(this.keys.record(ref));
    pipeline.zrange(this.keys.inflight(VENUE), 0, -1).get(this.keys.breaker(VENUE, 'order.place'));
    const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    const { now } = this;
    const unresolved: string[] = [];
    this.intents.forEach(({ ref, model, ghost }, i) => {
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
        near(ttl, TTL_MS);
      }
    });
    expect((replies[2 * this.intents.length] as string[]).sort()).toEqual(unresolved.sort());
    if (!this.breaker) return;
    const breaker = parseBreaker(replies[2 * this.intents.length + 1] as string | null);
    expect(breaker).toMatchObject({ state: this.breaker.state, openings: this.breaker.openings });
    expect(this.breaker.livePermits(now)).toBeLessThanOrEqual(this.breaker.settings.permits);
  }
}

function pick<T>(from: readonly T[], back: number): T | undefined {
  // Mostly the latest, but any that was ever given: a paused worker comes back late.
  return from.length === 0 ? undefined : from[from.length - 1 - (back % from.length)];
}

function near(actual: number, expected: number): void {
  if (Math.abs(actual - expected) > DRIFT_MS) expect(actual).toBe(expected);
}
