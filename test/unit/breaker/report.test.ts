import { reportOf, type Hold, type VenueHealth } from '../../../src/breaker/report';
import { CATEGORY_ACTIONS } from '../../../src/failures/category-actions';
import { FAILURE_CATEGORIES, type FailureCategory, type FailureVerdict } from '../../../src/failures/categories';

/** A verdict of this category by its own action, waiting as long as it does where the venue does not say. */
function verdictOf(category: FailureCategory, over: Partial<FailureVerdict> = {}): FailureVerdict {
  const { assumedRetryAfterMs, ...action } = CATEGORY_ACTIONS[category];
  const wait = assumedRetryAfterMs === undefined ? {} : { retryAfterMs: assumedRetryAfterMs };
  return { category, ...action, ...wait, rule: 'test', ...over };
}

const TABLE: Record<FailureCategory, [health: VenueHealth, concerns?: Hold['concerns'], ms?: number]> = {
  NOT_SENT: ['own'],
  OUTCOME_UNKNOWN: ['fail'],
  UNAVAILABLE: ['fail'],
  RATE_LIMIT: ['none', 'venue', 60_000],
  ORDER_LIMIT: ['none', 'account', 10_000],
  BANNED: ['fail', 'venue', 120_000],
  CLOCK: ['none'],
  AUTH: ['ok', 'venue', 60_000],
  RESTRICTED: ['ok'],
  FUNDS: ['ok'],
  INVALID: ['ok'],
  MARKET_REJECT: ['ok'],
  SYMBOL_HALTED: ['ok'],
  ALREADY_APPLIED: ['ok'],
  GONE: ['ok'],
};

describe('what a failure says of the venue', () => {
  it.each(FAILURE_CATEGORIES)('by its category: %s', (category) => {
    const [health, concerns, ms] = TABLE[category];
    const hold = concerns && { concerns, ms, why: `${category}: said so` };
    expect(reportOf(verdictOf(category), 'said so')).toEqual({ health, ...(hold && { hold }) });
  });

  it.each<[FailureVerdict['scope'], Hold['concerns'] | undefined]>([
    ['ip', 'venue'],
    ['exchange', 'venue'],
    ['key', 'venue'],
    ['account', 'account'],
    ['endpoint', 'jobType'],
    ['symbol', undefined],
    ['intent', undefined],
    ['none', undefined],
  ])('that told when to come back holds by its scope: %s → %s', (scope, concerns) => {
    const verdict = verdictOf('RATE_LIMIT', { scope, retryAfterMs: 7_000 });
    expect(reportOf(verdict, 'slow down').hold).toEqual(
      concerns && { concerns, ms: 7_000, why: 'RATE_LIMIT: slow down' },
    );
  });

  it('holds nobody by a time that is not to be waited for', () => {
    expect(reportOf(verdictOf('UNAVAILABLE', { retryAfterMs: 7_000 }), '').hold).toBeUndefined();
  });
});
