import type { Resolution } from '../domain/job-plan';
import type { Refusal } from './errors';
import type { AbsenceRule } from './answers';
import type { IntentRef } from './keys';
import type { Ticket } from './ticket';

/** One look, as the effect needs to know it. */
export interface Look {
  /** Whether "absent", said now, would be the last word: what could still appear must be fenced first. */
  confirming: boolean;
  /** Ms since the intent was first seen. */
  ageMs: number;
  /** Looks since the answer was lost, this one included. */
  looks: number;
  /** Asked right before the first byte of whatever changes something out there leaves. Throws when the look is too old. */
  pass(): void;
}

/** What one look showed. */
export type Sighting<Result> =
  | { kind: 'found'; result: Result }
  /** Nothing is known of it there. What that means is decided by the absence rule, not here. */
  | { kind: 'absent'; evidence: string }
  /** Seen not to have taken effect, and doing it twice does no harm: it may be tried again at once. */
  | { kind: 'repeatable'; evidence: string }
  /** No answer, or one that proves nothing. `waitMs`: it was said when to ask again. */
  | { kind: 'inconclusive'; evidence: string; waitMs?: number | undefined }
  /** It surely did not happen, and never will. */
  | { kind: 'refused'; refusal: Refusal }
  /** The answers contradict each other: only a person can decide. */
  | { kind: 'contradiction'; evidence: string };

/** One intent, read from what a caller gave. */
export interface Job<Input = unknown> {
  ref: IntentRef;
  /** What the effect works on. */
  input: Input;
  /** The same as it travels: what attempts and look-ups are given to read again. */
  given: object;
  fingerprint: string;
  /** The act in one line, for people. */
  summary: string;
  /** The account of the venue that it is for, where it names one. */
  account?: string | undefined;
  /** What it is about at the venue, where it has one. */
  symbol?: string;
}

/**
 * An effect kind, declared once: how to name the intent, how to act, how to look up, what absence means and what to do
 * when Redis is away.
 */
export interface Effect<Input = unknown, Result extends object = object> {
  jobType: string;
  /** Name of its activity. */
  activity: string;
  /** The venues (or `books`) where it may act. */
  venues: readonly string[];
  /** Names the result in the answer to the caller. */
  resultName: 'order' | 'result';
  /** Reads and checks what a caller gave. Throws an `InvalidInputError` or a `VenueRefusedError` that names the field. */
  read(given: unknown): Job<Input>;
  /** One act: one signed request. Asks `ticket.pass()` right before the first byte leaves, and reports failures by throwing. */
  run(input: Input, ticket: Ticket): Promise<Result>;
  /**
   * Asks what became of the act. `confirming` is true when this look may be the last before the act is taken as absent:
   * an order that can rest must then be fenced, so that it cannot appear later.
   */
  lookUp(input: Input, look: Look): Promise<Sighting<Result>>;
  /** Whether `lookUp` asks anybody; what cannot be looked up is done at most once without a person. */
  canLookUp: boolean;
  /** What the record keeps of a result: see `MOST_KEPT_BYTES`. */
  keep(result: Result): object;
  /** The result of which `kept` was kept. Rejects while it cannot be had. */
  recall(input: Input, kept: object): Promise<Result>;
  /** What to do when it is surely absent. */
  onAbsent(input: Input): 'resend' | 'fail' | 'manual';
  /** The result of an act that a person says has happened. Throws an `InvalidInputError` when that cannot be. */
  decided(input: Input, resolution: Resolution, look: Look): Promise<Result>;
  /** When "not found" means absent. */
  absence(venue: string): AbsenceRule;
  /** Ms from asking the guard within which the request must have left. */
  sendWithinMs(venue: string): number;
  /** Ms that the act may take to answer. */
  timeoutMs(venue: string): number;
  /** `refuse`: no act without the guard. `proceed`: acting twice does no harm, so it goes on, said aloud. */
  whenStoreDown: 'refuse' | 'proceed';
  /** A harmless read: tried first when a breaker's time is over, before any act may pass. Rejects when the venue is not well. */
  probe?(input: Input): Promise<void>;
  /** Whether the breaker of the venue and job type may hold it. Acts that lower risk pass. */
  heldByBreaker: boolean;
  /** Epoch ms by the venue's clock after which it must not leave any more; `undefined` where there is no such time. */
  expiresAt(input: Input): number | undefined;
  /** Ms until `expiresAt` has surely passed: the venue's clock as it is known, and its error; `undefined` without such a time. */
  lifeMs(input: Input): number | undefined;
  /** What this worker's clock of the venue says, for `expiresAt`; ms. */
  venueNow(venue: string): number;
  /**
   * Makes sure that the venue's clock is known well enough to sign by; `again` after the venue refused a timestamp.
   * Called before the guard is asked, so that a failure here leaves no doubt.
   */
  readyClock(venue: string, options: { again: boolean }): Promise<void>;
}
