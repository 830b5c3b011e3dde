// The breaker's table as plain TypeScript: what it must do, not how the scripts do it. Time is counted in ticks.

export interface BreakerModelSettings {
  /** Whole ticks; the window is that of the current tick and those before it. */
  windowTicks: number;
  minimumCalls: number;
  failureRatio: number;
  openTicks: number;
  maximumOpenTicks: number;
  permits: number;
  permitTicks: number;
  successesToClose: number;
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
  'closed → open',
  'closed: an old failure is forgotten',
  'open: refuses',
  'open → half-open: first probe',
  'half-open: another probe',
  'half-open: refuses beyond the permits',
  'half-open: a dead prober frees its place',
  'half-open: a success, not enough of them',
  'half-open → closed',
  'half-open → open: a probe failed',
  'half-open → open: no longer than the cap',
  'half-open: a probe that says nothing gives its place back',
  'half-open: who holds no live permit is not heard',
  'open: what was under way is not heard',
  'observe: lets pass what it would refuse',
] as const;
export type BreakerRow = (typeof BREAKER_ROWS)[number];

type Outcome = 'ok' | 'fail' | 'none';

export class BreakerModel {
  state: 'CLOSED' | 'OPEN' | 'HALF_OPEN' = 'CLOSED';
  /** In a row, without a closing in between. */
  openings = 0;
  private openUntil = 0;
  private refused = 0;
  private successes = 0;
  private calls: { tick: number; outcome: 'ok' | 'fail' }[] = [];
  private permits = new Map<number, number>();

  constructor(
    readonly settings: BreakerModelSettings,
    private readonly hit: (row: BreakerRow) => void,
  ) {}

  /** May the act with this GO pass? Where not: `waitTicks` until the breaker may think otherwise, and a `place` in the queue. */
  admit(now: number, go: number): { passes: true } | { passes: false; waitTicks: number; place: number } {
    if (this.state === 'CLOSED') {
      this.hit('closed: lets pass');
      return { passes: true };
    }
    if (this.state === 'OPEN') {
      if (now < this.openUntil) {
        this.hit('open: refuses');
        return this.refuse(this.openUntil - now);
      }
      this.turn('HALF_OPEN');
      this.permits.set(go, now + this.settings.permitTicks);
      this.hit('open → half-open: first probe');
      return { passes: true };
    }
    const held = this.permits.size;
    this.dropDead(now);
    if (this.permits.size >= this.settings.permits) {
      this.hit('half-open: refuses beyond the permits');
      return this.refuse(0);
    }
    this.hit(held > this.permits.size ? 'half-open: a dead prober frees its place' : 'half-open: another probe');
    this.permits.set(go, now + this.settings.permitTicks);
    return { passes: true };
  }

  /** What became of the act with this GO. */
  record(now: number, go: number, outcome: Outcome): void {
    if (this.state === 'CLOSED') this.count(now, outcome);
    else if (this.state === 'OPEN') this.hit('open: what was under way is not heard');
    else this.probed(now, go, outcome);
  }

  livePermits(now: number): number {
    return [...this.permits.values()].filter((until) => until > now).length;
  }

  private count(now: number, outcome: Outcome): void {
    const { windowTicks, minimumCalls, failureRatio } = this.settings;
    if (outcome === 'none') return this.hit('closed: says nothing about health');
    const inWindow = this.calls.filter(({ tick }) => tick > now - windowTicks);
    if (
      inWindow.some(({ outcome: each }) => each === 'fail') !== this.calls.some(({ outcome: each }) => each === 'fail')
    ) {
      this.hit('closed: an old failure is forgotten');
    }
    this.calls = [...inWindow, { tick: now, outcome }];
    if (outcome === 'ok') return this.hit('closed: counts a success');
    const failures = this.calls.filter((call) => call.outcome === 'fail').length;
    if (this.calls.length < minimumCalls) return this.hit('closed: counts a failure, too few calls to trip');
    if (failures / this.calls.length < failureRatio) {
      return this.hit('closed: counts a failure, too small a share to trip');
    }
    this.hit('closed → open');
    this.open(now);
  }

  private probed(now: number, go: number, outcome: Outcome): void {
    this.dropDead(now);
    if (!this.permits.delete(go)) return this.hit('half-open: who holds no live permit is not heard');
    if (outcome === 'none') return this.hit('half-open: a probe that says nothing gives its place back');
    if (outcome === 'fail') {
      const { openTicks, maximumOpenTicks } = this.settings;
      const capped = openTicks * 2 ** this.openings > maximumOpenTicks;
      this.hit(capped ? 'half-open → open: no longer than the cap' : 'half-open → open: a probe failed');
      return this.open(now);
    }
    this.successes += 1;
    if (this.successes < this.settings.successesToClose) return this.hit('half-open: a success, not enough of them');
    this.hit('half-open → closed');
    this.turn('CLOSED');
    this.openings = 0;
    this.calls = [];
  }

  private open(now: number): void {
    this.turn('OPEN');
    this.openUntil = now + Math.min(this.settings.openTicks * 2 ** this.openings, this.settings.maximumOpenTicks);
    this.openings += 1;
    this.calls = [];
  }

  private turn(state: 'CLOSED' | 'OPEN' | 'HALF_OPEN'): void {
    this.state = state;
    this.refused = 0;
    this.successes = 0;
    this.permits.clear();
  }

  private dropDead(now: number): void {
    for (const [go, until] of this.permits) if (until <= now) this.permits.delete(go);
  }

  private refuse(waitTicks: number): { passes: false; waitTicks: number; place: number } {
    if (this.settings.mode === 'observe') this.hit('observe: lets pass what it would refuse');
    this.refused = (this.refused + 1) % this.settings.places;
    return { passes: false, waitTicks, place: this.refused };
  }
}
