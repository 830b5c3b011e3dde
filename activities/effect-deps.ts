import type { Logger } from 'pino';
import type { AbsenceRule } from '../src/guard/answers';
import type { JobPolicy, VenueTimes } from '../src/policy/job-policy';
import type { VenuePort } from '../src/venues/port';

/** What effects work with. */
export interface EffectDeps {
  log: Logger;
  /** First part of every Redis key and of what client order ids are made from. */
  namespace: string;
  /** The configured venues. */
  venues: readonly string[];
  /** Throws a `VenueRefusedError`, naming `field` (default `venue`), unless the venue is configured and of this lane. */
  checkVenue(venue: string, field?: string): void;
  /** The adapter of a configured venue; throws for any other. */
  venue(name: string): VenuePort;
  /** Measures the venue's clock when it is not known well enough, or `again`. Throws when that fails. */
  readyClock(venue: string, again: boolean): Promise<void>;
  times(venue: string): VenueTimes;
  /** When "not found" at the venue means that an order is absent. */
  absence(venue: string): AbsenceRule;
  policy(jobType: string): JobPolicy;
  /** What to do about an order that fills at once and is surely absent. */
  onAbsent: 'resend' | 'fail' | 'manual';
}
