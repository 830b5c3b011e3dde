import type { Redis } from 'ioredis';
import type { Levels } from '../../src/breaker/levels';
import { NO_OVERRIDE } from '../../src/breaker/override';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import type { BreakerRow } from './breaker-model';
import { breakerSettingsOf, compareAdmission, compareStored, near, same, SLOW_MS, TICK_MS } from './compare';
import { bucketOf, levelsFor, type LevelSettings } from './judged';
import { LevelsModel, type LevelRow } from './levels-model';
import type { ModelRecord, ModelSettings } from './model-record';
import type { GuardRow, StoreRow } from './guard-rows';
import { stepsOf, type Op } from './ops';
import { Intent } from './intent';
import { LIFE_TICKS } from './life';
import type { Clock } from '../support/memory-redis';
import { StoreModel, type ModelSeen } from './store-model';
import { World } from './world';

const TTL_MS = LIFE_TICKS * TICK_MS;
const VENUE = 'paper';

/** Never alike, so that it is clear which of two ends later. */
const HOLD_TICKS = { venue: 2.5, 'order.place': 2.7 };
const PRINTS = ['1:aa', '1:bb', '2:cc'];

/** Runs every step against the scripts on a Redis and against the model, and compares all that can be seen. */
export class Lockstep {
  steps = 0;
  /** Workers: each remembers what it has seen of the store. */
  private readonly workers: { guard: Guard; seen: ModelSeen }[];
  private readonly store: StoreModel;
  private readonly world: World;
  private saved: { records: (ModelRecord | undefined)[]; store: StoreModel['state'] } | undefined;
  private readonly keys: ReturnType<typeof guardKeys>;
  private readonly judged: Levels | undefined;
  private readonly breaker: LevelsModel | undefined;
  private readonly probes: { level: string; token: string; until: number }[] = [];
  private readonly intents: Intent[];
  private readonly gos: { intent: number; go: number; fence: string; at: number }[] = [];
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
      breaker?: LevelSettings;
      /** Redis's clock, where the test holds it. */
      clock?: Clock | undefined;
      hit: (row: GuardRow | StoreRow | BreakerRow | LevelRow) => void;
    },
  ) {
    const { namespace, settings, breaker, hit } = options;
    this.workers = [0, 1].map(() => ({
      guard: new Guard(redis, { namespace, ttlMs: TTL_MS }),
      seen: { epoch: 0, goes: 0 },
    }));
    this.store = new StoreModel(settings.quiesceTicks, hit);
    this.keys = guardKeys(namespace);
    this.breaker = breaker && new LevelsModel(breaker, hit);
    this.judged = breaker && levelsFor('order.place', breaker);
    const common = { venue: VENUE, settings, store: this.store, hit };
    this.intents = Array.from({ length: options.intents }, (_, i) => new Intent(i, common));
    const refs = this.intents.map(({ ref }) => ref);
    this.world = new World(redis, { namespace, venue: VENUE, refs, ttlMs: TTL_MS, clock: options.clock });
  }

  async step(op: Op): Promise<void> {
    this.steps += 1;
    await this.apply(op);
    const { keys, world, now, intents, breaker } = this;
    await compareStored(this.redis, { keys, venue: VENUE, world, now, intents, breaker });
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
      case 'order':
        return this.order(op);
      case 'probed':
        return this.probed(op);
      case 'lookBegin':
        return this.lookBegin(op);
      case 'look': {
        const before = this.looks.length;
        await this.lookBegin({ op: 'lookBegin', intent: op.intent, looker: 0, givenUp: -1, print: 0, ends: false });
        if (this.looks.length === before) return;
        return this.lookEnd({ op: 'lookEnd', look: 0, verdict: op.verdict });
      }
      case 'absence':
      case 'storm':
      case 'calm':
      case 'relapse':
      case 'late':
        for (const step of stepsOf(op)) await this.step(step);
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
      case 'flush':
        await this.world.flush();
        return this.storeBecomes(undefined);
      case 'save':
        await this.world.save();
        this.saved = structuredClone({
          records: this.intents.map(({ model }) => model.record),
          store: this.store.state,
        });
        return;
      case 'rollBack':
        await this.world.rollBack();
        return this.saved && this.storeBecomes(structuredClone(this.saved));
      case 'open':
        return this.open(op);
      case 'trust': {
        const expected = this.store.trust();
        expect(await this.worker(0).guard.store.trust(VENUE, { actor: 'ada', reason: 'looked' })).toBe(expected);
        if (!expected) return;
        this.store.learn(this.worker(0).seen);
        for (const { ghost } of this.intents) ghost.storeTrusted();
        return;
      }
      case 'exempt':
        return this.exempt();
      case 'pass':
        return this.pass(op.ticks);
    }
  }

  private worker(number: number) {
    const found = this.workers[number % this.workers.length];
    if (!found) throw new Error('no worker');
    return found;
  }

  private storeBecomes(now: { records: (ModelRecord | undefined)[]; store: StoreModel['state'] } | undefined): void {
    this.store.state = now?.store;
    this.intents.forEach(({ model, ghost, life }, i) => {
      life.lost();
      model.record = now?.records[i];
      ghost.storeChanged(model.record);
    });
  }

  private async open(op: Op & { op: 'open' }): Promise<void> {
    const { guard, seen } = this.worker(op.worker);
    const { quiesceTicks } = this.options.settings;
    // Nobody can vouch for a store of which something was seen.
    const neverUsed = op.neverUsed && this.going === 0;
    const state = await guard.store.open(VENUE, { quiesceMs: quiesceTicks * TICK_MS, neverUsed });
    this.readStore(seen, neverUsed);
    this.store.learn(seen);
    same(state.suspected !== '', this.store.suspected(this.now));
  }

  /** The model's side of a call that compares the store with what its worker has seen. */
  private readStore(seen: ModelSeen, neverUsed = false): void {
    this.store.read(this.now, seen, neverUsed);
    this.noticed();
  }

  private noticed(): void {
    if (this.store.suspected(this.now)) for (const { ghost } of this.intents) ghost.storeLossNoticed();
  }

  private at(intent: number): Intent {
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
      act: { bucket: bucketOf(intent.ref), held: true, canProbe: op.canProbe ?? false },
    };
    intent.last = op;
    const absent = intent.model.record === undefined;
    const { guard, seen } = this.worker(op.owner);
    const answer = await guard.admit(intent.ref, {
      owner: { activity: caller.owner, attempt: caller.attempt, nonce: caller.nonce },
      fingerprint: caller.fingerprint,
      leaseMs: settings.leaseTicks * TICK_MS,
      quiesceMs: settings.quiesceTicks * TICK_MS,
      knownUnsent: op.knownUnsent,
      mostSends: settings.mostSends,
      breaker: this.judged && { levels: this.judged, ...caller.act },
    });
    this.readStore(seen);
    const expected = intent.model.admit(this.now, caller, this.breaker, () => (this.going += 1));
    this.store.learn(seen);
    this.noticed();
    compareAdmission(answer, expected, { places: this.breaker?.places ?? 1, world: this.world });
    if (answer.kind === 'PROBE' && expected.kind === 'PROBE')
      this.probes.push({ level: answer.level, token: answer.token, until: expected.until });
    if (absent && answer.kind === 'UNKNOWN') intent.ghost.presumed(intent.model.record?.sends ?? 0);
    if (answer.kind !== 'GO' || expected.kind !== 'GO') return;
    if (!expected.fresh) {
      same(answer.fence, this.gos.find(({ go }) => go === expected.go)?.fence);
      return;
    }
    intent.ghost.gone(this.now, answer, {
      owner: caller.owner,
      excused: absent && (op.attempt === 1 || op.knownUnsent),
    });
    this.gos.push({ intent: op.intent, go: expected.go, fence: answer.fence, at: this.now });
  }

  private async settle(op: Op & { op: 'settle' }): Promise<void> {
    const mine = op.of === undefined ? pick(this.gos, op.go) : this.gos.findLast(({ intent }) => intent === op.of);
    if (!mine) return;
    const intent = this.at(mine.intent);
    const payload = JSON.stringify({ ended: op.ending, go: mine.go });
    const elapsedMs = this.world.sinceGo((this.now - mine.at) * TICK_MS) + (op.slow ? SLOW_MS : 0);
    const { worker = 0, health } = op;
    const hold = op.hold
      ? { level: op.hold, ms: HOLD_TICKS[op.hold] * TICK_MS, why: 'told so', concerns: 'venue' as const }
      : undefined;
    const request = { fence: mine.fence, ending: op.ending, payload };
    const quiesceMs = this.options.settings.quiesceTicks * TICK_MS;
    const answer = await this.worker(0).guard.settle(intent.ref, {
      ...{ ...request, quiesceMs },
      elapsedMs,
      breaker: this.judged && { levels: this.judged, health, worker, hold },
    });
    const expected = intent.model.settle(this.now, mine.go, op.ending);
    this.noticed();
    same(answer.kind, expected.kind);
    if (!expected.first) return;
    const slow = elapsedMs >= SLOW_MS && health !== 'none';
    const held = op.hold ? { level: op.hold, ticks: HOLD_TICKS[op.hold] } : undefined;
    const lone = this.breaker?.record(this.now, mine.go, this.going, { outcome: health, slow, worker, hold: held });
    if (answer.kind === 'OK') same(answer.lone, lone ?? false);
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
    const { guard, seen } = this.worker(op.looker);
    const answer = await guard.lookBegin(intent.ref, {
      ...request,
      leaseMs: settings.lookLeaseTicks * TICK_MS,
      quiesceMs: settings.quiesceTicks * TICK_MS,
      mostLooks: settings.mostLooks,
      refusal: op.ends ? '{"category":"NOT_EXECUTED"}' : '',
    });
    this.readStore(seen);
    const expected = intent.model.lookBegin(this.now, { ...request, ends: op.ends });
    this.store.learn(seen);
    if (created) intent.ghost.presumed(1);
    // Who is told to come back will say it again.
    if (answer.kind !== 'CONFLICT' && answer.kind !== 'BUSY') intent.ghost.gaveUp(request.givenUp);
    same(answer.kind, expected.kind);
    if (answer.kind === 'BUSY' && 'waitTicks' in expected)
      near(answer.waitMs, expected.waitTicks * TICK_MS, this.world);
    if (answer.kind === 'LOOK' && 'look' in expected) {
      near(answer.toQuiescenceMs, expected.toQuiescence * TICK_MS, this.world);
      const token = intent.ghost.looked(this.now);
      this.looks.push({ intent: op.intent, look: expected.look, fence: answer.fence, token });
    }
  }

  private async lookEnd(op: Op & { op: 'lookEnd' }): Promise<void> {
    const mine = pick(this.looks, op.look);
    if (!mine) return;
    const intent = this.at(mine.intent);
    const { gapTicks, quiesceTicks, agreeing } = this.options.settings;
    const answer = await this.worker(0).guard.lookEnd(intent.ref, {
      fence: mine.fence,
      verdict: op.verdict,
      payload: JSON.stringify({ seen: op.verdict }),
      absence: { gapMs: gapTicks * TICK_MS, quiesceMs: quiesceTicks * TICK_MS, looks: agreeing },
    });
    const expected = intent.model.lookEnd(mine.look, op.verdict);
    same(answer.kind, expected.kind);
    if (answer.kind === 'AGAIN' && !(answer.waitMs >= 0)) throw new Error(`look again in ${answer.waitMs} ms`);
    if (answer.kind !== 'FENCED') intent.ghost.saw(mine.token, op.verdict);
  }

  private async resolve(op: Op & { op: 'resolve' }): Promise<void> {
    const intent = this.at(op.intent);
    const audit = this.keys.audit(VENUE);
    const rows = await this.redis.xlen(audit);
    const answer = await this.worker(0).guard.resolve(intent.ref, {
      decision: op.decision,
      payload: '{"why":"decided"}',
      actor: 'ada',
      reason: 'seen at the venue',
      venueShows: 'an order',
    });
    const expected = intent.model.resolve(this.now, op.decision);
    same(answer.kind, expected.kind);
    same((await this.redis.xlen(audit)) - rows, answer.kind === 'OK' ? 1 : 0);
    if (answer.kind === 'OK') intent.ghost.decided(op.decision);
  }

  private async drop(intent: Intent, lost: boolean): Promise<void> {
    await this.world.drop(intent.ref);
    intent.model.forget();
    intent.ghost.forgotten(lost);
  }

  private async exempt(): Promise<void> {
    this.exempted += 1;
    const ref = { venue: VENUE, jobType: 'order.cancel', intentId: `c:${this.exempted}` };
    const owner = { activity: 'canceller', attempt: 1, nonce: 'n' };
    const { guard, seen } = this.worker(0);
    this.readStore(seen);
    // Looked up first, as all acts are then.
    if (this.store.suspected(this.now)) return;
    const request = { owner, fingerprint: '1:aa', leaseMs: TICK_MS, quiesceMs: 0, knownUnsent: false, mostSends: 9 };
    const { breaker } = this.options;
    const act = { bucket: 0, held: false, canProbe: false };
    const expected = this.breaker?.judge(this.now, this.going, act);
    const answer = await guard.admit(ref, {
      ...request,
      breaker: breaker && { levels: levelsFor('order.cancel', breaker), ...act },
    });
    if (expected?.verdict === 'wait') return same(answer.kind, 'OPEN');
    if (answer.kind !== 'GO') throw new Error(`an act that no breaker may hold was answered ${answer.kind}`);
    this.store.go();
    this.store.learn(seen);
    const end = { ending: 'done', payload: '{}', elapsedMs: 0, health: 'none', quiesceMs: 0 } as const;
    await guard.settle(ref, { fence: answer.fence, ...end });
  }

  /** Orders reach Redis as their control workflow projects them. */
  private async order({ level, kill, force, ticks }: Op & { op: 'order' }): Promise<void> {
    const orders = { ...NO_OVERRIDE, number: this.steps, kill, force, forMs: ticks * TICK_MS, rows: [] };
    await this.worker(0).guard.breakers.order(VENUE, level, orders);
    if (!this.breaker) return;
    if (level === 'all') this.breaker.allKilled = kill;
    else this.breaker.level(level).order = { kill, force, until: this.now + ticks };
  }

  private async probed({ probe, isWell }: Op & { op: 'probed' }): Promise<void> {
    const { breaker } = this.options;
    const asked = pick(this.probes, probe);
    if (!asked || !breaker) return;
    const { level, token, until } = asked;
    const settings = breakerSettingsOf(breaker[level as 'venue' | 'order.place']);
    await this.worker(0).guard.breakers.probed(VENUE, { level, token }, isWell, settings);
    this.breaker?.level(level).breaker.probed(this.now, this.going, until, isWell);
  }

  private get windowMs(): number | undefined {
    const { breaker } = this.options;
    return breaker && breaker.venue.windowTicks * TICK_MS;
  }

  private async pass(ticks: number): Promise<void> {
    this.now += ticks;
    await this.world.pass(ticks * TICK_MS, this.windowMs);
    for (const intent of this.intents) intent.passed(this.now, await this.redis.get(this.keys.record(intent.ref)));
  }
}

function pick<T>(from: readonly T[], back: number): T | undefined {
  // Mostly the latest, but any that was ever given: a paused worker comes back late.
  return from.length === 0 ? undefined : from[from.length - 1 - (back % from.length)];
}
