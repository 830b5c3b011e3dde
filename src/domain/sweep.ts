import type { LookUpInput } from './job-plan';

/** What one bounded step of a sweep found. */
export interface SweepStep {
  /** Unresolved intents past their quiescence that it looked at; 0 when there are no more. */
  looked: number;
  /** Acts whose workflow has ended and left them in doubt: nobody else will look them up. */
  orphans: LookUpInput[];
  /** Acts that only a person can decide, because their workflow is gone from Temporal with all that was known of them. */
  forPerson: number;
}

/** What a sweep of one venue came to. */
export interface SweepReport {
  looked: number;
  orphans: number;
  resolved: number;
  forPerson: number;
}
