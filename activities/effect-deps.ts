import type { AbsenceRule } from '../src/guard/answers';
import type { VenuePort } from '../src/venues/port';

/** What effects work with. */
export interface EffectDeps {
  /** First part of every Redis key and of what client order ids are made from. */
  namespace: string;
  /** The adapter of a configured venue; throws for any other. */
  venue(name: string): VenuePort;
  /** Measures the venue's clock when it is not known well enough, or `again`. Throws when that fails. */
  readyClock(venue: string, again: boolean): Promise<void>;
  times(venue: string): { sendWithinMs: number };
  /** When "not found" at the venue means that an order is absent. */
  absence(venue: string): AbsenceRule;
}
