import type { BreakerModelSettings, Judgement, Moment } from './breaker-model';

export const RAMP_ROWS = [
  'ramp: a share passes',
  'ramp: refuses the rest until their stage',
  'ramp: refuses beyond the pace',
  'ramp: in the last stage all pass that the pace lets pass',
  'ramp: a load above the pace is let through faster',
  'ramp: a second in which some had to wait does not close it',
  'ramp → closed: an act finds a second in which nobody had to wait',
  'ramp → closed: an end finds one',
] as const;
export type RampRow = (typeof RAMP_ROWS)[number];

const SHARES = [10, 25, 50, 100];
const LAST = SHARES.length - 1;
export const secondOf = (ms: number): number => Math.floor(ms / 1_000);

/** The way back of a breaker as plain TypeScript: in Redis's seconds, unlike all else. */
export class RampModel {
  /** Seconds in which acts passed or were refused, with how many passed. */
  private readonly passed = new Map<number, number>();
  private readonly full = new Set<number>();

  constructor(
    private readonly settings: BreakerModelSettings,
    private readonly sinceMs: number,
    private readonly hit: (row: RampRow) => void,
  ) {}

  /** Which stage it is, counted on beyond the last. */
  stage(ms: number): number {
    return Math.max(Math.floor((ms - this.sinceMs) / this.settings.rampMs), 0);
  }

  /** Once a whole second of the last stage has passed in which nobody came beyond the pace. */
  isOver(ms: number): boolean {
    const first = Math.ceil((this.sinceMs + LAST * this.settings.rampMs) / 1_000);
    const quiet = Math.max(first, ...[...this.full].map((second) => second + 1));
    const isOver = secondOf(ms) > quiet;
    if (!isOver && secondOf(ms) > first) this.hit('ramp: a second in which some had to wait does not close it');
    return isOver;
  }

  judge({ now, ms }: Moment, bucket: number): Judgement {
    const stage = this.stage(ms);
    if (bucket >= SHARES[Math.min(stage, LAST)]!) {
      this.hit('ramp: refuses the rest until their stage');
      const next = SHARES.findIndex((share) => bucket < share);
      return { verdict: 'wait', until: now, soonMs: this.sinceMs + next * this.settings.rampMs - ms };
    }
    const second = secondOf(ms);
    const pace = Math.max(Math.floor(this.settings.places / 30), 1);
    const passed = this.passed.get(second) ?? 0;
    if (passed >= pace * 2 ** Math.max(stage - LAST, 0)) {
      this.hit('ramp: refuses beyond the pace');
      this.full.add(second);
      return { verdict: 'wait', until: now, soonMs: (second + 1) * 1_000 - ms };
    }
    if (passed >= pace) this.hit('ramp: a load above the pace is let through faster');
    this.hit(stage < LAST ? 'ramp: a share passes' : 'ramp: in the last stage all pass that the pace lets pass');
    return { verdict: 'take' };
  }

  take(ms: number): void {
    this.passed.set(secondOf(ms), (this.passed.get(secondOf(ms)) ?? 0) + 1);
  }
}
