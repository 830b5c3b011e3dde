import type { FailureCategory, FailureVerdict } from './categories';

/** What to do about a category, where no rule says otherwise. */
export type CategoryAction = Pick<FailureVerdict, 'retry' | 'countsForBreaker' | 'reconcile' | 'scope'> & {
  /** For `retry: 'after'`: how long to wait when the venue did not say, in ms. */
  assumedRetryAfterMs?: number;
};

const final = { retry: 'never', countsForBreaker: false, reconcile: false } as const;

export const CATEGORY_ACTIONS: Readonly<Record<FailureCategory, CategoryAction>> = {
  NOT_SENT: { retry: 'backoff', countsForBreaker: true, reconcile: false, scope: 'endpoint' },
  OUTCOME_UNKNOWN: { retry: 'never', countsForBreaker: true, reconcile: true, scope: 'intent' },
  UNAVAILABLE: { retry: 'backoff', countsForBreaker: true, reconcile: false, scope: 'exchange' },
  // Binance meters weight by the minute, order counts by 10 s and by the day; its bans start at two minutes and grow.
  RATE_LIMIT: {
    retry: 'after',
    countsForBreaker: false,
    reconcile: false,
    scope: 'ip',
    assumedRetryAfterMs: 60_000,
  },
  ORDER_LIMIT: {
    retry: 'after',
    countsForBreaker: false,
    reconcile: false,
    scope: 'account',
    assumedRetryAfterMs: 10_000,
  },
  BANNED: { retry: 'after', countsForBreaker: true, reconcile: false, scope: 'ip', assumedRetryAfterMs: 120_000 },
  CLOCK: { retry: 'now', countsForBreaker: false, reconcile: false, scope: 'none' },
  AUTH: { ...final, scope: 'key' },
  RESTRICTED: { ...final, scope: 'account' },
  // After an earlier doubt about the same intent, FUNDS is evidence for the first send: the caller knows, not the failure.
  FUNDS: { ...final, scope: 'none' },
  INVALID: { ...final, scope: 'none' },
  MARKET_REJECT: { ...final, scope: 'none' },
  SYMBOL_HALTED: { ...final, scope: 'symbol' },
  ALREADY_APPLIED: { ...final, reconcile: true, scope: 'none' },
  GONE: { ...final, reconcile: true, scope: 'none' },
};

/** A question that failed changed nothing: whatever is unknown about it, ask again. */
export const UNANSWERED_QUERY: CategoryAction = {
  retry: 'backoff',
  countsForBreaker: true,
  reconcile: false,
  scope: 'none',
};
