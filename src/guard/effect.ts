import type { JobInput } from '../domain/order.schema';
import type { JobType } from '../domain/job-types';
import type { Refusal } from './errors';
import type { AbsenceRule } from './answers';
import type { Ticket } from './ticket';

/** One look, as the effect needs to know it. */
export interface Look {
  confirming: boolean;
  ageMs: number;
  pass(): void;
}

/** What one look at the venue showed. */
export type Sighting<Result> =
  | { kind: 'found'; result: Result }
  /** The venue knows nothing of it. What that means is decided by the absence rule, not here. */
  | { kind: 'absent'; evidence: string }
  /** Seen not to have taken effect, and doing it twice does no harm: it may be tried again at once. */
  | { kind: 'repeatable'; evidence: string }
  /** The venue gave no answer, or one that proves nothing. `waitMs`: it said when it may be asked again. */
  | { kind: 'inconclusive'; evidence: string; waitMs?: number | undefined }
  /** It surely did not happen, and never will. */
  | { kind: 'refused'; refusal: Refusal }
  /** The answers contradict each other: only a person can decide. */
  | { kind: 'contradiction'; evidence: string };

/**
 * An effect kind, declared once: how to name the intent, how to act, how to look up, what absence means and what to do
 * when Redis is away.
 */
export interface Effect<Input extends JobInput = JobInput, Result extends object = object> {
  jobType: JobType;
  /** One act: one signed request. Asks `ticket.pass()` right before the first byte leaves, and reports failures by throwing. */
  run(input: Input, ticket: Ticket): Promise<Result>;
  /**
   * Asks what became of the act. `confirming` is true when this look may be the last before the act is taken as absent:
   * an order that can rest must then be fenced, so that it cannot appear later. `ageMs`: since the intent was first seen.
   * Whatever changes something at the venue must ask `pass` right before its first byte leaves: it throws when the look's
   * own lease may be over and another worker may have gone on.
   */
  lookUp(input: Input, look: Look): Promise<Sighting<Result>>;
  /** The venue's id of the order that this input is about, where it names one by intent. */
  clientOrderId(input: Input): string | undefined;
  /** When "not found" means absent, for this input. */
  absence(input: Input): AbsenceRule;
  /** Ms from asking the guard within which the request must have left. */
  sendWithinMs(input: Input): number;
  /** `refuse`: no act without the guard. `proceed`: acting twice does no harm, so it goes on, said aloud. */
  whenStoreDown: 'refuse' | 'proceed';
  /** Whether the breaker of the venue and job type may hold it. Acts that lower risk pass. */
  heldByBreaker: boolean;
  /** What this worker's clock of the venue says, for `expiresAt`; ms. */
  venueNow(input: Input): number;
  /**
   * Makes sure that the venue's clock is known well enough to sign by; `again` after the venue refused a timestamp.
   * Called before the guard is asked, so that a failure here leaves no doubt.
   */
  readyClock(input: Input, options: { again: boolean }): Promise<void>;
}
