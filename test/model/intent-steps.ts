import { compareAdmission, compareWait, near, same, SLOW_MS, TICK_MS } from './compare';
import type { Intent } from './intent';
import { bucketOf } from './judged';
import type { LookTold, Op } from './ops';
import { pick, VENUE, type Run } from './run';

const PRINTS = ['1:aa', '1:bb', '2:cc'];
/** Never alike, so that it is clear which of two ends later. */
const HOLD_TICKS = { venue: 2.5, 'order.place': 2.7, 'look-up': 2.9 };
const WELL: LookTold = { health: 'ok', slow: false, worker: 0, hold: '' };

/** The venue's "come back at", as it is told to the scripts and to the model. */
function holdOf(level: '' | keyof typeof HOLD_TICKS) {
  if (level === '') return { real: undefined, model: undefined };
  const ticks = HOLD_TICKS[level];
  return { real: { level, ms: ticks * TICK_MS, why: 'told so', concerns: 'venue' as const }, model: { level, ticks } };
}

/** The real clock turned in the middle of a call, and with it what is right to answer: nobody can tell what it should be. */
export class UnclearError extends Error {}

/** What happens to the record of an intent: each step on both sides, and its answers compared. */
export class IntentSteps {
  private readonly looks: { intent: number; look: number; fence: string; token: number }[] = [];

  constructor(private readonly run: Run) {}

  async admit(op: Op & { op: 'admit' }): Promise<void> {
    const intent = this.run.intent(op.intent);
    const { settings } = this.run.options;
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
    const { guard, seen } = this.run.worker(op.owner);
    const before = await this.run.look();
    const answer = await guard.admit(intent.ref, {
      owner: { activity: caller.owner, attempt: caller.attempt, nonce: caller.nonce },
      fingerprint: caller.fingerprint,
      leaseMs: settings.leaseTicks * TICK_MS,
      quiesceMs: settings.quiesceTicks * TICK_MS,
      knownUnsent: op.knownUnsent,
      mostSends: settings.mostSends,
      breaker: this.run.judged && { levels: this.run.judged.acts, ...caller.act },
    });
    if (this.run.breaker?.changesWithin(before, await this.run.look())) throw new UnclearError();
    this.run.readStore(seen);
    const { breaker } = this.run;
    const judge = breaker && ((go: number) => breaker.judge(before, go, caller.act));
    const expected = intent.model.admit(this.run.now, caller, judge, () => (this.run.going += 1));
    this.run.store.learn(seen);
    this.run.noticed();
    compareAdmission(answer, expected, { places: this.run.breaker?.places ?? 1, world: this.run.world });
    if (answer.kind === 'PROBE' && expected.kind === 'PROBE')
      this.run.probes.push({
        level: answer.level,
        endMs: this.run.world.seen(Number(answer.token)),
        untilMs: expected.untilMs,
      });
    if (absent && answer.kind === 'UNKNOWN') intent.ghost.presumed(intent.model.record?.sends ?? 0);
    if (answer.kind !== 'GO' || expected.kind !== 'GO') return;
    if (!expected.fresh) {
      same(answer.fence, this.run.gos.find(({ go }) => go === expected.go)?.fence);
      return;
    }
    intent.ghost.gone(this.run.now, answer, {
      owner: caller.owner,
      excused: absent && (op.attempt === 1 || op.knownUnsent),
    });
    this.run.gos.push({ intent: op.intent, go: expected.go, fence: answer.fence, at: before.ms });
  }

  async settle(op: Op & { op: 'settle' }): Promise<void> {
    const mine =
      op.of === undefined ? pick(this.run.gos, op.go) : this.run.gos.findLast(({ intent }) => intent === op.of);
    if (!mine) return;
    const intent = this.run.intent(mine.intent);
    const payload = JSON.stringify({ ended: op.ending, go: mine.go });
    const { world } = this.run;
    const { ms } = await this.run.look();
    const elapsedMs = world.sinceGo(ms - mine.at) + (op.slow ? SLOW_MS : 0);
    const { worker = 0, health } = op;
    const hold = holdOf(op.hold ?? '');
    const request = { fence: mine.fence, ending: op.ending, payload };
    const quiesceMs = this.run.options.settings.quiesceTicks * TICK_MS;
    const answer = await this.run.worker(0).guard.settle(intent.ref, {
      ...{ ...request, quiesceMs },
      elapsedMs,
      breaker: this.run.judged && { levels: this.run.judged.acts, health, worker, hold: hold.real },
    });
    const expected = intent.model.settle(this.run.now, mine.go, op.ending);
    this.run.noticed();
    same(answer.kind, expected.kind);
    const moved = expected.kind === 'FENCED';
    if (!expected.first && !moved) return;
    const slow = elapsedMs >= SLOW_MS && (health === 'ok' || health === 'fail');
    // The moment of the end is told by its worker.
    const at = this.run.moment(world.seen(Math.floor(Number(mine.fence) / 1_000) + elapsedMs));
    const number = { go: mine.go, lastGo: this.run.going, moved };
    const lone = this.run.breaker?.record(at, number, { outcome: health, slow, worker, hold: hold.model });
    same(answer.lone, lone ?? false);
    if (!moved) intent.ghost.settled(mine.fence, op.ending);
  }

  async lookBegin(op: Op & { op: 'lookBegin' }): Promise<void> {
    const intent = this.run.intent(op.intent);
    const { settings } = this.run.options;
    const request = {
      looker: `looker-${op.looker}`,
      givenUp: op.givenUp < 0 ? '' : `owner-${op.givenUp}`,
      fingerprint: PRINTS[op.print] ?? '',
    };
    const created = intent.model.record === undefined;
    const { guard, seen } = this.run.worker(op.looker);
    const before = await this.run.look();
    const answer = await guard.lookBegin(intent.ref, {
      ...request,
      leaseMs: settings.lookLeaseTicks * TICK_MS,
      quiesceMs: settings.quiesceTicks * TICK_MS,
      mostLooks: settings.mostLooks,
      refusal: op.ends ? '{"category":"NOT_EXECUTED"}' : '',
      levels: this.run.judged?.looks,
    });
    const { breaker } = this.run;
    if (breaker?.changesWithin(before, await this.run.look())) throw new UnclearError();
    this.run.readStore(seen);
    const judge = breaker && ((look: number) => breaker.judgeLook(before, look, bucketOf(intent.ref)));
    const asked = { ...request, ends: op.ends };
    const expected = intent.model.lookBegin(this.run.now, asked, judge, () => (this.run.looking += 1));
    this.run.store.learn(seen);
    if (created) intent.ghost.presumed(1);
    // Who is told to come back will say it again.
    if (answer.kind !== 'CONFLICT' && answer.kind !== 'BUSY') intent.ghost.gaveUp(request.givenUp);
    same(answer.kind, expected.kind);
    if ((answer.kind === 'BUSY' || answer.kind === 'OPEN') && 'waitTicks' in expected)
      compareWait(answer, expected, { places: breaker?.places ?? 1, world: this.run.world });
    if (answer.kind === 'LOOK' && 'look' in expected) {
      near(answer.toQuiescenceMs, expected.toQuiescence * TICK_MS, this.run.world);
      same(answer.wouldBlock, expected.wouldBlock);
      if (this.looks.some(({ fence }) => fence === answer.fence)) return;
      const token = intent.ghost.looked(this.run.now);
      this.looks.push({ intent: op.intent, look: expected.look, fence: answer.fence, token });
    }
  }

  /** A look from begin to end, by one who is alone at it. */
  async look({ intent, verdict, told }: Op & { op: 'look' }): Promise<void> {
    const before = this.looks.length;
    await this.lookBegin({ op: 'lookBegin', intent, looker: 0, givenUp: -1, print: 0, ends: false });
    if (this.looks.length === before) return;
    return this.lookEnd({ op: 'lookEnd', look: 0, verdict, ...(told && { told }) });
  }

  async lookEnd(op: Op & { op: 'lookEnd' }): Promise<void> {
    const mine = pick(this.looks, op.look);
    if (!mine) return;
    const intent = this.run.intent(mine.intent);
    const { gapTicks, quiesceTicks, agreeing } = this.run.options.settings;
    const { health, slow, worker, hold } = op.told ?? WELL;
    const held = holdOf(hold);
    const before = await this.run.look();
    const answer = await this.run.worker(0).guard.lookEnd(intent.ref, {
      fence: mine.fence,
      verdict: op.verdict,
      payload: JSON.stringify({ seen: op.verdict }),
      absence: { gapMs: gapTicks * TICK_MS, quiesceMs: quiesceTicks * TICK_MS, looks: agreeing },
      breaker: this.run.judged && {
        ...{ levels: this.run.judged.looks, health, worker, hold: held.real },
        elapsedMs: slow ? SLOW_MS : 0,
      },
    });
    const { breaker, looking } = this.run;
    if (breaker?.changesWithin(before, await this.run.look())) throw new UnclearError();
    const expected = intent.model.lookEnd(mine.look, op.verdict);
    same(answer.kind, expected.kind);
    const number = { look: mine.look, lastLook: looking, moved: expected.kind === 'FENCED' };
    const isSlow = slow && (health === 'ok' || health === 'fail');
    const lone = breaker?.recordLook(before, number, { outcome: health, slow: isSlow, worker, hold: held.model });
    same(answer.lone, lone ?? false);
    if (answer.kind === 'AGAIN' && !(answer.waitMs >= 0)) throw new Error(`look again in ${answer.waitMs} ms`);
    if (answer.kind !== 'FENCED') intent.ghost.saw(mine.token, op.verdict);
  }

  async resolve(op: Op & { op: 'resolve' }): Promise<void> {
    const intent = this.run.intent(op.intent);
    const audit = this.run.keys.audit(VENUE);
    const rows = await this.run.redis.xlen(audit);
    const answer = await this.run.worker(0).guard.resolve(intent.ref, {
      decision: op.decision,
      payload: '{"why":"decided"}',
      actor: 'ada',
      reason: 'seen at the venue',
      venueShows: 'an order',
    });
    const expected = intent.model.resolve(this.run.now, op.decision);
    same(answer.kind, expected.kind);
    same((await this.run.redis.xlen(audit)) - rows, answer.kind === 'OK' ? 1 : 0);
    if (answer.kind === 'OK') intent.ghost.decided(op.decision);
  }

  async drop(intent: Intent, lost: boolean): Promise<void> {
    await this.run.world.drop(intent.ref);
    intent.model.forget();
    intent.ghost.forgotten(lost);
  }
}
