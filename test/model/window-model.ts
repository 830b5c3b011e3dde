import type { BreakerModelSettings } from './breaker-model';

export interface Call {
  worker: number;
  failed: boolean;
  slow: boolean;
  /** It failed in the worker's own network. */
  own: boolean;
}

const workersOf = (calls: readonly Call[]): number[] => calls.map(({ worker }) => worker);

/** The calls of late, of all workers, as plain TypeScript. */
export class WindowModel {
  private calls: (Call & { tick: number })[] = [];
  /** Workers that were seen before, until the breaker is closed again. */
  private readonly atWork = new Set<number>();

  constructor(private readonly settings: BreakerModelSettings) {}

  /** Answers whether that made a failure be forgotten. */
  count(now: number, call: Call): boolean {
    // A slot of the window is a tick.
    const tick = Math.floor(now);
    const kept = this.calls.filter((each) => each.tick > tick - this.settings.windowTicks);
    const forgot = kept.some(({ failed }) => failed) !== this.calls.some(({ failed }) => failed);
    this.calls = [...kept, { ...call, tick }];
    return forgot;
  }

  /** As Redis shows them. */
  get counts(): { calls: number; failures: number; slow: number; own: number } {
    const of = (is: (call: Call) => boolean): number => this.calls.filter(is).length;
    return {
      calls: of(({ own }) => !own),
      failures: of(({ failed }) => failed),
      slow: of(({ slow }) => slow),
      own: of(({ own }) => own),
    };
  }

  /** Workers that must see failures before all are held. */
  get quorum(): number {
    return Math.min(this.settings.quorum, new Set([...this.atWork, ...workersOf(this.calls)]).size);
  }

  /** Whether own failures speak of the venue. */
  get ownCount(): boolean {
    return new Set(workersOf(this.calls.filter(({ own }) => own))).size >= this.quorum;
  }

  /** Calls that reached the venue, and own failures where those count. */
  get heard(): Call[] {
    return this.calls.filter(({ own }) => !own || this.ownCount);
  }

  /** Distinct workers that saw failures. */
  get failing(): number {
    return new Set(workersOf(this.heard.filter(({ failed, slow, own }) => failed || slow || own))).size;
  }

  /** A new one begins. */
  clear(): void {
    for (const worker of workersOf(this.calls)) this.atWork.add(worker);
    this.calls = [];
  }

  closed(): void {
    this.atWork.clear();
  }
}
