import type { BreakerSnapshot } from '../../src/breaker/snapshot';
import type { BreakerRow } from './breaker-rows';
import { TICK_MS } from './compare';
import { RampModel } from './ramp-model';
import { WindowModel } from './window-model';

// The breaker of one level as plain TypeScript: what it must do, not how the scripts do it.

/** Time is counted in ticks, but for what goes by Redis's seconds. */
export interface BreakerModelSettings {
  /** Whole ticks; the window is that of the current tick and those before it. */
  windowTicks: number;
  minimumCalls: number;
  failureRatio: number;
  slowRatio: number;
  failuresInRow: number;
  quorum: number;
  openTicks: number;
  maximumOpenTicks: number;
  permits: number;
  permitTicks: number;
  successesToClose: number;
  /** Length of a stage of RAMP. */
  rampMs: number;
  /** Places in the queue of the refused, counted round and round: those of 30 seconds. */
  places: number;
  mode: 'observe' | 'enforce';
}

export interface Moment {
  now: number;
  /** Redis's clock. */
  ms: number;
}

/** How an act ended, and who tells. */
export interface Told {
  outcome: 'ok' | 'fail' | 'own' | 'none';
  slow: boolean;
  worker: number;
}

/** What a level says of an act; `soonMs`: worth asking again after this many real ms. */
export type Judgement = { verdict: 'pass' | 'take' | 'probe' } | { verdict: 'wait'; until: number; soonMs: number };

export class BreakerModel {
  state: 'CLOSED' | 'OPEN' | 'HALF_OPEN' | 'RAMP' = 'CLOSED';
  openings = 0;
  openUntil = 0;
  holdUntil = -Infinity;
  /** By Redis's clock. */
  probeUntilMs = 0;
  ramp: RampModel | undefined;
  private since = -Infinity;
  /** GOs up to this one were given before the last turn. */
  private turnedGo = 0;
  private refused = 0;
  private successes = 0;
  private failures = 0;
  private inRow = 0;
  private readonly window: WindowModel;
  private readonly permits = new Map<number, number>();

  constructor(
    readonly settings: BreakerModelSettings,
    private readonly hit: (row: BreakerRow) => void,
  ) {
    this.window = new WindowModel(settings);
  }

  judge(at: Moment, go: number, bucket: number, canProbe: boolean): Judgement {
    const { now } = at;
    if (this.state === 'CLOSED' && this.isHoldOver(now)) {
      this.hit('closed → ramp: a hold is over');
      this.holdUntil = -Infinity;
      this.comeBack(at, go - 1, at.ms - 3 * this.settings.rampMs);
    }
    if (this.ramp) {
      if (!this.ramp.isOver(at.ms)) return this.ramp.judge(at, bucket);
      this.hit('ramp → closed: an act finds a second in which nobody had to wait');
      this.close(at, go - 1);
    }
    if (this.state === 'CLOSED') {
      this.hit('closed: lets pass');
      return { verdict: 'pass' };
    }
    if (this.state === 'OPEN') {
      if (now < this.openUntil) {
        this.hit('open: refuses');
        return { verdict: 'wait', until: this.openUntil, soonMs: 0 };
      }
      if (canProbe) {
        if (at.ms < this.probeUntilMs) {
          this.hit('open: refuses while a read is tried');
          return { verdict: 'wait', until: now, soonMs: 1_000 };
        }
        return { verdict: 'probe' };
      }
      this.hit('open → half-open: first probe');
      this.turn('HALF_OPEN', at, go - 1);
    }
    this.dropDead(at, go - 1);
    if (this.state !== 'HALF_OPEN') return { verdict: 'wait', until: this.openUntil, soonMs: 0 };
    if (this.permits.size >= this.settings.permits) {
      this.hit('half-open: refuses beyond the permits');
      return { verdict: 'wait', until: now, soonMs: 1_000 };
    }
    this.hit('half-open: another probe');
    return { verdict: 'take' };
  }

  take({ now, ms }: Moment, go: number): void {
    if (this.ramp) this.ramp.take(ms);
    else this.permits.set(go, now + this.settings.permitTicks);
  }

  /** A place in the queue of the refused. */
  place(): number {
    this.refused = (this.refused + 1) % this.settings.places;
    return this.refused;
  }

  startProbe({ ms }: Moment): void {
    this.hit('open: one worker tries a read');
    this.probeUntilMs = ms + this.settings.permitTicks * TICK_MS;
  }

  /** What the read showed that was to be over by `untilMs`; answers whether its worker is alone in failing. */
  probed(at: Moment, lastGo: number, untilMs: number, { outcome, worker }: Told): boolean {
    if (this.state !== 'OPEN' || this.probeUntilMs !== untilMs || at.ms >= untilMs) {
      this.hit('open: a read that came late is not heard');
      return false;
    }
    if (outcome === 'ok') {
      this.hit('open → half-open: a read was answered');
      this.turn('HALF_OPEN', at, lastGo);
      return false;
    }
    if (outcome === 'own') {
      if (!this.ownProbe(at.now, worker)) {
        this.hit('open: a read that did not leave its worker leaves it to another');
        this.probeUntilMs = at.ms + 1_000;
        return true;
      }
      this.hit('open → open: reads of enough workers did not leave them');
    } else this.hit('open → open: a read failed');
    this.open(at, lastGo);
    return false;
  }

  /** What became of the act with this GO; answers whether its worker is alone in failing. */
  record(at: Moment, go: number, lastGo: number, told: Told): boolean {
    if (this.state === 'OPEN') {
      this.hit('open: what was under way is not heard');
      return false;
    }
    if (this.state === 'HALF_OPEN') return this.probeEnded(at, go, lastGo, told);
    let lone = false;
    if (told.outcome === 'none') this.hit('closed: says nothing about health');
    else if (go <= this.turnedGo) this.hit('closed: what was let through before the last turn is not heard');
    else lone = this.count(at, lastGo, told);
    if (this.ramp?.isOver(at.ms)) {
      this.hit('ramp → closed: an end finds one');
      this.close(at, lastGo);
    }
    return lone;
  }

  /** People hold it open; `already`: they did before. */
  forceOpen(at: Moment, lastGo: number, until: number, already: boolean): void {
    if (already && this.state === 'OPEN') this.hit('forced open: its end moves');
    else {
      this.hit(this.state === 'OPEN' ? 'forced open: it was open already' : 'forced open → open, until its end');
      this.window.clear();
      this.turn('OPEN', at, lastGo);
    }
    this.openUntil = until;
  }

  /** A kill of its level ends. */
  unkill(now: number): void {
    this.holdUntil = Math.max(this.holdUntil, now);
  }

  /** Whether the next act may bring it to come back, by the seconds of its moment. */
  mayComeBack(now: number): boolean {
    return this.state === 'CLOSED' && this.isHoldOver(now);
  }

  /** People hold it open no more, before the time that they had said. */
  lift(now: number): void {
    if (this.state !== 'OPEN') return;
    this.hit('forced open: lifted early → probing at once');
    this.openUntil = now;
  }

  /** As Redis shows it. */
  get shown(): Partial<BreakerSnapshot> {
    return {
      ...{ state: this.state, openings: this.openings, failedInRow: this.inRow, permits: this.permits.size },
      ...this.window.counts,
    };
  }

  private count(at: Moment, lastGo: number, { outcome, slow, worker }: Told): boolean {
    const { minimumCalls, failureRatio, slowRatio, failuresInRow, successesToClose } = this.settings;
    const { window } = this;
    const [failed, own] = [outcome === 'fail', outcome === 'own'];
    if (window.count(at.now, { worker, failed, slow, own })) this.hit('closed: an old failure is forgotten');
    if (outcome === 'ok') {
      this.hit('closed: counts a success');
      this.inRow = 0;
      if (!slow) return false;
    }
    if (own && !window.ownCount) {
      this.hit('closed: own failures of too few workers speak of those alone');
      return true;
    }
    if (outcome !== 'ok') this.inRow += 1;
    const calls = window.heard;
    const share = (bad: (call: (typeof calls)[number]) => boolean): number => calls.filter(bad).length / calls.length;
    const enough = calls.length >= (this.ramp ? Math.min(successesToClose, minimumCalls) : minimumCalls);
    const why =
      this.inRow >= failuresInRow
        ? 'failures in a row'
        : enough && share((call) => call.failed || call.own) >= failureRatio
          ? 'too many failed'
          : enough && share((call) => call.slow) >= slowRatio
            ? 'too many were slow'
            : undefined;
    if (why === undefined) {
      if (own) this.hit('closed: own failures of enough workers count, too few to trip');
      if (failed && !enough) this.hit('closed: counts a failure, too few calls to trip');
      if (failed && enough) this.hit('closed: counts a failure, too small a share to trip');
      return false;
    }
    if (window.failing < window.quorum) {
      this.hit('closed: one worker is alone in failing, and held alone');
      return true;
    }
    if (own) this.hit('closed → open: own failures of enough workers');
    this.hit(this.ramp ? 'ramp → open' : `closed → open: ${why}`);
    this.open(at, lastGo);
    return false;
  }

  private ownProbe(now: number, worker: number): boolean {
    this.window.count(now, { worker, failed: false, slow: false, own: true });
    return this.window.ownCount;
  }

  private probeEnded(at: Moment, go: number, lastGo: number, { outcome, slow, worker }: Told): boolean {
    this.dropDead(at, lastGo);
    if (!this.permits.delete(go)) {
      this.hit('half-open: who holds no live permit is not heard');
      return false;
    }
    if (outcome === 'none') {
      this.hit('half-open: a probe that says nothing gives its place back');
      return false;
    }
    if (outcome === 'own') {
      if (!this.ownProbe(at.now, worker)) {
        this.hit('half-open: an own failure gives its place back');
        return true;
      }
      this.hit('half-open: own failures of enough workers are failed probes');
    }
    if (outcome !== 'ok' || slow) {
      if (outcome === 'ok') this.hit('half-open: a slow probe is a failed one');
      this.failed(at, lastGo, 1, 'half-open → open: too many probes failed');
      return false;
    }
    this.successes += 1;
    if (this.successes < this.settings.successesToClose) {
      this.hit('half-open: a success, not enough of them');
      return false;
    }
    this.hit('half-open → ramp');
    this.comeBack(at, lastGo, at.ms);
    return false;
  }

  /** `sinceMs`: when its first stage began. */
  private comeBack(at: Moment, lastGo: number, sinceMs: number): void {
    this.turn('RAMP', at, lastGo);
    this.ramp = new RampModel(this.settings, sinceMs, this.hit);
    this.window.clear();
  }

  private close(at: Moment, lastGo: number): void {
    this.turn('CLOSED', at, lastGo);
    this.window.closed();
    if (!this.isHoldOver(at.now)) return;
    this.hit('ramp → closed: a hold that ended meanwhile needs no way back of its own');
    this.holdUntil = -Infinity;
  }

  private isHoldOver(now: number): boolean {
    return this.holdUntil > -Infinity && this.holdUntil <= now;
  }

  private failed(at: Moment, lastGo: number, count: number, row: BreakerRow): void {
    const { permits, failureRatio, openTicks, maximumOpenTicks } = this.settings;
    this.failures += count;
    if (this.failures <= failureRatio * permits) return this.hit('half-open: a failed probe is borne');
    this.hit(row);
    if (openTicks * 2 ** this.openings > maximumOpenTicks) this.hit('half-open → open: no longer than the cap');
    this.open(at, lastGo);
  }

  private open(at: Moment, lastGo: number): void {
    const { openTicks, maximumOpenTicks } = this.settings;
    if (this.state === 'CLOSED' && this.openings > 0) {
      const quiet = Math.floor((at.now - this.since) / maximumOpenTicks);
      if (quiet > 0) this.hit('closed → open: a quiet time shortens the opening');
      this.openings = Math.max(this.openings - quiet, 0);
    }
    this.window.clear();
    this.turn('OPEN', at, lastGo);
    this.openUntil = at.now + Math.min(openTicks * 2 ** this.openings, maximumOpenTicks);
    this.openings += 1;
  }

  private turn(state: BreakerModel['state'], { now }: Moment, turnedGo: number): void {
    this.state = state;
    this.since = now;
    this.turnedGo = turnedGo;
    this.refused = 0;
    this.successes = 0;
    this.failures = 0;
    this.inRow = 0;
    this.probeUntilMs = 0;
    this.ramp = undefined;
    this.permits.clear();
  }

  private dropDead(at: Moment, lastGo: number): void {
    const dead = [...this.permits].filter(([, until]) => until <= at.now);
    for (const [go] of dead) this.permits.delete(go);
    if (dead.length === 0) return;
    this.hit('half-open: a dead prober frees its place and counts as failed');
    this.failed(at, lastGo, dead.length, 'half-open → open: dead probers');
  }
}
