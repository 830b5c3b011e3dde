/** What a failure means. Each category has its own action: resend, look up, hold, page, or give up. */
export const FAILURE_CATEGORIES = [
  'NOT_SENT',
  'OUTCOME_UNKNOWN',
  'UNAVAILABLE',
  'RATE_LIMIT',
  'ORDER_LIMIT',
  'BANNED',
  'CLOCK',
  'AUTH',
  'RESTRICTED',
  'FUNDS',
  'INVALID',
  'MARKET_REJECT',
  'SYMBOL_HALTED',
  'ALREADY_APPLIED',
  'GONE',
] as const;
export type FailureCategory = (typeof FAILURE_CATEGORIES)[number];

/** Which kind of call failed. `query` changes nothing at the venue, the others do. */
export type VenueOperation = 'place' | 'cancel' | 'amend' | 'query';

/** How far the request got: not one byte left, bytes may have left, or the venue answered. */
export type RequestPhase = 'before_send' | 'after_send' | 'response';

/** All that is known of a failed call. `code` alone is not enough: one code means different things by market and message. */
export interface FailureInput {
  exchange: string;
  /** `spot`, `usdm`, `coinm` or `pm`. */
  market: string;
  operation: VenueOperation;
  phase: RequestPhase;
  httpStatus?: number | undefined;
  /** The venue's own error code, or the transport's (`ECONNREFUSED`). */
  code?: number | string | undefined;
  message?: string | undefined;
  /** Response headers; names are matched without regard to case. */
  headers?: Record<string, string> | undefined;
}

/** What to do about a failure. */
export interface FailureVerdict {
  category: FailureCategory;
  /** `now`: at once (after a clock resync); `after`: not before `retryAfterMs`. */
  retry: 'never' | 'now' | 'backoff' | 'after';
  /** Ms from now, with `after`: as the venue stated it, else assumed from the category. */
  retryAfterMs?: number;
  /** Whether the breaker of the venue and job type counts it as a failure. */
  countsForBreaker: boolean;
  /** Whether the venue must be asked what is true before anything else happens. */
  reconcile: boolean;
  /** What the failure concerns: what must be held, if anything. */
  scope: 'none' | 'intent' | 'symbol' | 'account' | 'key' | 'ip' | 'endpoint' | 'exchange';
  /** Id of the rule that decided, for logs and for looking it up in `config/failure-rules/`. */
  rule: string;
}
