// The breaker of one level as plain TypeScript: what it must do, not how the scripts do it. Time is counted in ticks.

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
  /** Length of one of the three steps of RAMP. */
  rampTicks: number;
  /** Places in the queue of the refused, counted round and round. */
  places: number;
  mode: 'observe' | 'enforce';
}

export const BREAKER_ROWS = [
  'closed: lets pass',
  'closed: counts a success',
  'closed: counts a failure, too few calls to trip',
  'closed: counts a failure, too small a share to trip',
  'closed: says nothing about health',
  'closed: what was let through before the last turn is not heard',
  'closed → open: too many failed',
  'closed → open: too many were slow',
  'closed → open: failures in a row',
  'closed: one worker is alone in failing, and held alone',
  'closed: an old failure is forgotten',
  'closed → open: a quiet time shortens the opening',
  'open: refuses',
  'open: one worker tries a read',
  'open: refuses while a read is tried',
  'open → half-open: a read was answered',
  'open → open: a read failed',
  'open: a read that came late is not heard',
  'open → half-open: first probe',
  'half-open: another probe',
  'half-open: refuses beyond the permits',
  'half-open: a dead prober frees its place',
  'half-open: a success, not enough of them',
  'half-open → ramp',
  'half-open → open: a probe failed',
  'half-open → open: no longer than the cap',
  'half-open: a probe that says nothing gives its place back',
  'half-open: who holds no live permit is not heard',
  'ramp: a share passes',
  'ramp: refuses the rest',
  'ramp → closed',
  'ramp → open',
  'open: what was under way is not heard',
] as const;
export type BreakerRow = (typeof BREAKER_ROWS)[number];

export type Outcome = 'ok' | 'fail' | 'none';
const SHARES = [10, 25, 50];

/** What a level says of an act; `soonMs`: worth asking again after this many real ms. */
export type Judgement = { verdict: 'pass' | 'permit' | 'probe' } | { verdict: 'wait'; until: number; soonMs: number };

export class BreakerModel {
  state: 'CLOSED' | 'OPEN' | 'HALF_OPEN' | 'RAMP' = 'CLOSED';
  openings = 0;
  openUntil = 0;
  holdUntil = 0;
  probeUntil = 0;
  private since = -Infinity;
  /** GOs up to this one were given before the last turn. */
  private turnedGo = 0;
  private refused = 0;
  private successes = 0;
  private inRow = 0;
  private calls: { tick: number; failed: boolean; slow: boolean; worker: number }[] = [];
  private permits = new Map<number, number>();

  constructor(
    readonly settings: BreakerModelSettings,
    private readonly hit: (row: BreakerRow) => void,
  ) {}

  judge(now: number, go: number, bucket: number, canProbe: boolean): Judgement {
    if (this.state === 'RAMP') {
      const { rampTicks } = this.settings;
      const stage = Math.floor((now - this.since) / rampTicks);
      const share = SHARES[stage];
      if (share === undefined) {
        this.hit('ramp → closed');
        this.turn('CLOSED', now, go - 1);
      } else if (bucket < share) {
        this.hit('ramp: a share passes');
        return { verdict: 'pass' };
      } else {
        this.hit('ramp: refuses the rest');
        return { verdict: 'wait', until: this.since + (stage + 1) * rampTicks, soonMs: 0 };
      }
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
        if (now < this.probeUntil) {
          this.hit('open: refuses while a read is tried');
          return { verdict: 'wait', until: now, soonMs: 1_000 };
        }
        return { verdict: 'probe' };
      }
      this.hit('open → half-open: first probe');
      this.turn('HALF_OPEN', now, go - 1);
    }
    const held = this.permits.size;
    this.dropDead(now);
    if (this.permits.size >= this.settings.permits) {
      this.hit('half-open: refuses beyond the permits');
      return { verdict: 'wait', until: now, soonMs: 1_000 };
    }
    this.hit(held > this.permits.size ? 'half-open: a dead prober frees its place' : 'half-open: another probe');
    return { verdict: 'permit' };
  }

  takePermit(now: number, go: number): void {
    this.permits.set(go, now + this.settings.permitTicks);
  }

  /** A place in the queue of the refused. */
  place(): number {
    this.refused = (this.refused + 1) % this.settings.places;
    return this.refused;
  }

  startProbe(now: number): void {
    this.hit('open: one worker tries a read');
    this.probeUntil = now + this.settings.permitTicks;
  }

  /** What the read showed that was to be over by `until`. */
  probed(now: number, lastGo: number, until: number, isWell: boolean): void {
    if (this.state !== 'OPEN' || this.probeUntil !== until || now >= until)
      return this.hit('open: a read that came late is not heard');
    if (isWell) {
      this.hit('open → half-open: a read was answered');
      return this.turn('HALF_OPEN', now, lastGo);
    }
    this.hit('open → open: a read failed');
    this.open(now, lastGo);
  }

  /** What became of the act with this GO; answers whether its worker is alone in failing. */
  record(now: number, go: number, lastGo: number, told: { outcome: Outcome; slow: boolean; worker: number }): boolean {
    const { outcome } = told;
    if (this.state === 'OPEN') {
      this.hit('open: what was under way is not heard');
      return false;
    }
    if (this.state === 'HALF_OPEN') {
      this.probeEnded(now, go, lastGo, outcome);
      return false;
    }
    if (outcome === 'none') {
      this.hit('closed: says nothing about health');
      return false;
    }
    if (go <= this.turnedGo) {
      this.hit('closed: what was let through before the last turn is not heard');
      return false;
    }
    return this.count(now, lastGo, told);
  }

  livePermits(now: number): number {
    return [...this.permits.values()].filter((until) => until > now).length;
  }

  private count(now: number, lastGo: number, told: { outcome: Outcome; slow: boolean; worker: number }): boolean {
    const { windowTicks, minimumCalls, failureRatio, slowRatio, failuresInRow, quorum, successesToClose } =
      this.settings;
    const failed = told.outcome === 'fail';
    const inWindow = this.calls.filter(({ tick }) => tick > now - windowTicks);
    if (inWindow.some((each) => each.failed) !== this.calls.some((each) => each.failed))
      this.hit('closed: an old failure is forgotten');
    this.calls = [...inWindow, { tick: now, failed, slow: told.slow, worker: told.worker }];
    this.inRow = failed ? this.inRow + 1 : 0;
    if (!failed) this.hit('closed: counts a success');
    if (!failed && !told.slow) return false;
    const minimum = this.state === 'RAMP' ? Math.min(successesToClose, minimumCalls) : minimumCalls;
    const share = (bad: (call: { failed: boolean; slow: boolean }) => boolean): number =>
      this.calls.filter(bad).length / this.calls.length;
    const enough = this.calls.length >= minimum;
    const why =
      this.inRow >= failuresInRow
        ? 'failures in a row'
        : enough && share((call) => call.failed) >= failureRatio
          ? 'too many failed'
          : enough && share((call) => call.slow) >= slowRatio
            ? 'too many were slow'
            : undefined;
    if (why === undefined) {
      if (failed && !enough) this.hit('closed: counts a failure, too few calls to trip');
      if (failed && enough) this.hit('closed: counts a failure, too small a share to trip');
      return false;
    }
    const workers = new Set(this.calls.map(({ worker }) => worker)).size;
    const failing = new Set(this.calls.filter((call) => call.failed || call.slow).map(({ worker }) => worker)).size;
    if (failing < Math.min(quorum, workers)) {
      this.hit('closed: one worker is alone in failing, and held alone');
      return true;
    }
    this.hit(this.state === 'RAMP' ? 'ramp → open' : `closed → open: ${why}`);
    this.open(now, lastGo);
    return false;
  }

  private probeEnded(now: number, go: number, lastGo: number, outcome: Outcome): void {
    this.dropDead(now);
    if (!this.permits.delete(go)) return this.hit('half-open: who holds no live permit is not heard');
    if (outcome === 'none') return this.hit('half-open: a probe that says nothing gives its place back');
    if (outcome === 'fail') {
      const { openTicks, maximumOpenTicks } = this.settings;
      const capped = openTicks * 2 ** this.openings > maximumOpenTicks;
      this.hit(capped ? 'half-open → open: no longer than the cap' : 'half-open → open: a probe failed');
      return this.open(now, lastGo);
    }
    this.successes += 1;
    if (this.successes < this.settings.successesToClose) return this.hit('half-open: a success, not enough of them');
    this.hit('half-open → ramp');
    this.turn('RAMP', now, lastGo);
    this.calls = [];
  }

  private open(now: number, lastGo: number): void {
    const { openTicks, maximumOpenTicks } = this.settings;
    if (this.state === 'CLOSED' && this.openings > 0) {
      const quiet = Math.floor((now - this.since) / maximumOpenTicks);
      if (quiet > 0) this.hit('closed → open: a quiet time shortens the opening');
      this.openings = Math.max(this.openings - quiet, 0);
    }
    this.turn('OPEN', now, lastGo);
    this.openUntil = now + Math.min(openTicks * 2 ** this.openings, maximumOpenTicks);
    this.openings += 1;
    this.calls = [];
  }

  private turn(state: BreakerModel['state'], now: number, turnedGo: number): void {
    this.state = state;
    this.since = now;
    this.turnedGo = turnedGo;
    this.refused = 0;
    this.successes = 0;
    this.inRow = 0;
    this.probeUntil = 0;
    this.permits.clear();
  }

  private dropDead(now: number): void {
    for (const [go, until] of this.permits) if (until <= now) this.permits.delete(go);
  }
}
