import type { Place } from '../domain/job-types';
import type { VenueHealth } from './report';
import type { BreakerSettings } from './settings';

/**
 * What a failure says of this worker alone. `no`: the fleet's breaker counts it. `maybe`: nobody else can tell, so the window of
 * this process does. `yes`: the fleet's window holds enough failures for all, but only this worker's.
 */
export type Alone = 'no' | 'maybe' | 'yes';

/** One act, from its entering on. What it reports after the breaker has turned says nothing about now. */
export interface Visit {
  readonly turn: number;
  readonly isTrial: boolean;
}

const SLOTS = 10;
/** Others ask again so soon whether the one that tries is through. */
const TRYING_WAIT_MS = 1_000;

/**
 * The breaker of one place in this process alone: for a worker that fails while others do not, and for all while Redis is away.
 * Decides by the settings that the fleet's has. CLOSED → OPEN; when that is over one act tries: → CLOSED or OPEN, for longer.
 *
 * Pure but for `now`, a monotonic clock in ms.
 */
export class LocalBreaker {
  private readonly slots: { number: number; calls: number; failures: number }[] = [];
  private failedInRow = 0;
  private opening: { until: number; why: string } | undefined;
  private openings = 0;
  private closedAt: number;
  /** Counts the changes of state. */
  private turn = 0;
  /** End of the time that the act which tries is given: one that never reports costs no more. */
  private tryingUntil = -Infinity;

  constructor(
    readonly settings: BreakerSettings,
    private readonly now: () => number,
  ) {
    this.closedAt = now();
  }

  /** May an act pass? Whoever enters leaves in the end. */
  enter(): Visit | { waitMs: number; why: string } {
    const { opening } = this;
    if (!opening) return this.watching();
    const now = this.now();
    const { why } = opening;
    if (now < opening.until) return { waitMs: opening.until - now, why };
    if (now < this.tryingUntil) return { waitMs: Math.min(this.tryingUntil - now, TRYING_WAIT_MS), why };
    this.tryingUntil = now + this.settings.permitMs;
    return { turn: this.turn, isTrial: true };
  }

  /** Of an act that is never held: it is counted all the same. */
  watching(): Visit {
    return { turn: this.turn, isTrial: false };
  }

  leave({ turn, isTrial }: Visit): void {
    if (isTrial && turn === this.turn) this.tryingUntil = -Infinity;
  }

  report({ turn, isTrial }: Visit, health: VenueHealth, alone: Alone): void {
    if (health === 'none' || turn !== this.turn) return;
    const failed = health !== 'ok';
    if (this.opening) {
      if (!isTrial) return;
      if (failed) this.open(this.opening.why);
      else this.close();
      return;
    }
    this.count(failed);
    if (!failed || alone === 'no') return;
    const why = alone === 'yes' ? 'of all workers only this one fails' : this.tripping();
    if (why !== undefined) this.open(why);
  }

  /** How many acts may be begun a second. */
  get perSecond(): number {
    if (!this.opening || this.settings.mode === 'observe') return Infinity;
    return this.now() < Math.max(this.opening.until, this.tryingUntil) ? 0 : 1;
  }

  private open(why: string): void {
    const { openMs, maximumOpenMs } = this.settings;
    const now = this.now();
    // Every quiet time of the longest opening halves the next one again.
    if (!this.opening) {
      const quiet = Math.floor((now - this.closedAt) / maximumOpenMs);
      this.openings = Math.max(this.openings - quiet, 0);
    }
    this.opening = { until: now + Math.min(openMs * 2 ** Math.min(this.openings, 10), maximumOpenMs), why };
    this.openings += 1;
    this.turned();
  }

  private close(): void {
    this.opening = undefined;
    this.closedAt = this.now();
    this.turned();
  }

  private turned(): void {
    this.turn += 1;
    this.tryingUntil = -Infinity;
    this.slots.length = 0;
    this.failedInRow = 0;
  }

  private count(failed: boolean): void {
    const number = Math.floor((this.now() * SLOTS) / this.settings.windowMs);
    while (this.slots[0] && number - this.slots[0].number >= SLOTS) this.slots.shift();
    let last = this.slots.at(-1);
    if (last?.number !== number) this.slots.push((last = { number, calls: 0, failures: 0 }));
    last.calls += 1;
    if (failed) last.failures += 1;
    this.failedInRow = failed ? this.failedInRow + 1 : 0;
  }

  private tripping(): string | undefined {
    const { failuresInRow, minimumCalls, failureRatio } = this.settings;
    if (failuresInRow > 0 && this.failedInRow >= failuresInRow) return `${this.failedInRow} failures in a row`;
    let [calls, failures] = [0, 0];
    for (const slot of this.slots) {
      calls += slot.calls;
      failures += slot.failures;
    }
    return calls >= minimumCalls && failures / calls >= failureRatio
      ? `${failures} of ${calls} calls failed`
      : undefined;
  }
}

/** One for each place where something is automatic. */
export class LocalBreakers {
  private readonly known = new Map<string, LocalBreaker>();

  constructor(
    private readonly settings: (jobType: string) => BreakerSettings | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  of({ venue, jobType }: Place): LocalBreaker | undefined {
    const name = `${jobType}@${venue}`;
    const known = this.known.get(name);
    if (known) return known;
    const settings = this.settings(jobType);
    if (!settings) return undefined;
    const made = new LocalBreaker(settings, this.now);
    this.known.set(name, made);
    return made;
  }
}
