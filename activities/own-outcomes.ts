import { CATEGORY_ACTIONS } from '../src/failures/category-actions';
import type { FailureCategory } from '../src/failures/categories';
import { VenueError } from '../src/venues/port';

/** Categories of a final refusal: the act surely did not happen, and trying again would not change that. */
export const REFUSAL_CATEGORIES = ['INVALID', 'FUNDS', 'AUTH', 'RESTRICTED', 'MARKET_REJECT', 'SYMBOL_HALTED'] as const;
export type RefusalCategory = (typeof REFUSAL_CATEGORIES)[number];

/**
 * For `run` to throw: it was refused. It surely did not happen and is not tried again; every caller of the intent is told so.
 * Throws a `TypeError` for any other category, as only these say that nothing happened.
 */
export function refused(category: RefusalCategory, message: string): Error {
  if (!REFUSAL_CATEGORIES.includes(category))
    throw new TypeError(`refused: category "${String(category)}" must be one of ${REFUSAL_CATEGORIES.join(', ')}`);
  return known(category, message);
}

/** For `run` to throw: it surely did not happen, and may be tried again, not before `retryAfterMs` where it is given. */
export function notApplied(message: string, { retryAfterMs = NaN }: { retryAfterMs?: number } = {}): Error {
  // What cannot be read from somebody's header is as not given: a mistake in the time must not make a doubt of it.
  return retryAfterMs >= 0 && Number.isFinite(retryAfterMs)
    ? known('RATE_LIMIT', message, { retryAfterMs })
    : known('UNAVAILABLE', message);
}

/** Whatever else `run` throws: nobody knows whether it happened. */
export function outcomeUnknown(error: unknown): Error {
  return known('OUTCOME_UNKNOWN', error instanceof Error ? error.message : String(error), {}, error);
}

function known(category: FailureCategory, message: string, more: { retryAfterMs?: number } = {}, cause?: unknown) {
  const { retry, countsForBreaker, reconcile } = CATEGORY_ACTIONS[category];
  const failure = { exchange: 'own', market: 'own', operation: 'place', phase: 'response', message } as const;
  const verdict = { category, retry, countsForBreaker, reconcile, scope: 'intent', rule: 'own', ...more } as const;
  return new VenueError(failure, verdict, cause === undefined ? {} : { cause });
}
