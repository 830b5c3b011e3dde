import type { FailureVerdict } from '../failures/categories';

/** What an ending says about the venue: `own` failures are those of this worker's own network. */
export type VenueHealth = 'ok' | 'fail' | 'none' | 'own';

/** The venue told not to come back before `ms` have passed. */
export interface Hold {
  concerns: 'venue' | 'account' | 'jobType';
  ms: number;
  why: string;
}

/** A key that the venue refuses will be refused until somebody mends it: asking on gets it locked. */
const AUTH_HOLD_MS = 60_000;
const CONCERNS: Partial<Record<FailureVerdict['scope'], Hold['concerns']>> = {
  ip: 'venue',
  exchange: 'venue',
  // A venue has one key, whatever account an order names.
  key: 'venue',
  account: 'account',
  endpoint: 'jobType',
};

/** What a failure says about the venue's health, and for how long it holds whom. */
export function reportOf(verdict: FailureVerdict, message: string): { health: VenueHealth; hold?: Hold } {
  const { category, retry, retryAfterMs, scope, countsForBreaker } = verdict;
  if (category === 'NOT_SENT') return { health: 'own' };
  const health = countsForBreaker ? 'fail' : retry === 'never' ? 'ok' : 'none';
  const concerns = CONCERNS[scope];
  const ms = category === 'AUTH' ? AUTH_HOLD_MS : retry === 'after' ? retryAfterMs : undefined;
  if (concerns === undefined || ms === undefined) return { health };
  return { health, hold: { concerns, ms, why: `${category}: ${message}` } };
}
