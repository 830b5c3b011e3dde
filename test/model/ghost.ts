import type { Ending, LookVerdict } from '../../src/guard/answers';
import { same } from './compare';
import type { ModelSettings } from './model-record';

/**
 * Watches one intent and knows nothing of states: it only remembers which requests may be out there and what was learnt of
 * them, and fails when the guard lets another one leave too early.
 */
export class Ghost {
  /** Requests that may have left and have not been accounted for. */
  sends = 0;
  private out: { fence: string; quiesceAt: number } | undefined;
  private lastFence = 0;
  private looks: { began: number; absent: boolean; counts: boolean }[] = [];
  private terminal: string | undefined;
  private doubtLost = false;
  /** What the loss of the whole store excuses: all while nobody has noticed; what may no longer act, once it is noticed. */
  private storeLost: 'no' | 'unnoticed' | 'noticed' | 'forgiven' = 'no';
  /** Activities of which Temporal will never hear: none of them may act while the record lives. */
  private readonly givenUp = new Set<string>();

  constructor(private readonly settings: ModelSettings) {}

  /** A new GO. `excused`: there was no record and the caller may have been the first, so Redis's loss could not be seen. */
  gone(
    now: number,
    { fence, sends }: { fence: string; sends: number },
    { owner, excused }: { owner: string; excused: boolean },
  ): void {
    if (this.givenUp.has(owner)) throw new Error(`GO for ${owner}, of which Temporal will never hear`);
    // Over losses and expiries too.
    if (Number(fence) <= this.lastFence) throw new Error(`fence ${fence} after ${this.lastFence}`);
    this.lastFence = Number(fence);
    if (this.out && !(excused && this.doubtLost) && !this.storeExcuses(now)) {
      const { quiesceAt } = this.out;
      const absents = this.looks.filter(({ began, absent }) => absent && began >= quiesceAt).map(({ began }) => began);
      const agreeing = Math.max(...absents) - Math.min(...absents) >= this.settings.gapTicks && absents.length >= 2;
      if (!agreeing) throw new Error(`GO at ${now} while a request of an earlier GO may still act`);
    }
    this.doubtLost = false;
    this.storeLost = 'no';
    this.out = { fence, quiesceAt: now + this.settings.quiesceTicks };
    this.looks = [];
    this.sends += 1;
    same(sends, this.sends);
  }

  /** A record was made for an act that somebody may have sent. */
  presumed(sends: number): void {
    this.sends = sends;
  }

  gaveUp(owner: string): void {
    if (owner !== '') this.givenUp.add(owner);
  }

  settled(fence: string, ending: Ending): void {
    if (ending !== 'doubt' && this.out?.fence === fence) this.out = undefined;
    if (ending === 'release') this.sends -= 1;
  }

  /** Answers a token for `saw`. */
  looked(now: number): number {
    this.looks.push({ began: now, absent: false, counts: false });
    return this.looks.length - 1;
  }

  saw(token: number, verdict: LookVerdict): void {
    const look = this.looks[token];
    if (look && verdict === 'absent') look.absent = true;
    if (verdict === 'found' || verdict === 'rejected' || verdict === 'repeatable') this.out = undefined;
  }

  /** A person answers for every request that left. */
  decided(decision: 'done' | 'absent' | 'rejected'): void {
    this.out = undefined;
    if (decision === 'absent') this.sends = 0;
  }

  forgotten(lost: boolean): void {
    this.sends = 0;
    this.terminal = undefined;
    this.givenUp.clear();
    this.doubtLost ||= lost;
    if (!lost) this.out = undefined;
  }

  /** The store is not what it was: it holds `record` of this intent now. */
  storeChanged(record: { sends: number; givenUp: string[] } | undefined): void {
    this.storeLost = 'unnoticed';
    this.sends = record?.sends ?? 0;
    this.terminal = undefined;
    this.givenUp.clear();
    for (const owner of record?.givenUp ?? []) this.givenUp.add(owner);
  }

  storeLossNoticed(): void {
    if (this.storeLost === 'unnoticed') this.storeLost = 'noticed';
  }

  storeTrusted(): void {
    if (this.storeLost !== 'no') this.storeLost = 'forgiven';
  }

  private storeExcuses(now: number): boolean {
    if (this.storeLost === 'noticed') return now >= (this.out?.quiesceAt ?? 0);
    return this.storeLost !== 'no';
  }

  /** A terminal record never changes, by nobody. */
  stored(raw: string | null): void {
    if (this.terminal !== undefined && raw !== null) same(withoutTimes(raw), this.terminal);
    if (raw !== null && /^1\n(DONE|REJECTED)\n/.test(raw)) this.terminal = withoutTimes(raw);
  }
}

/** `createdAt` and `settledAt` move when a test lets time pass. */
function withoutTimes(raw: string): string {
  return raw
    .split('\n')
    .filter((_, i) => i !== 10 && i !== 11)
    .join('\n');
}
