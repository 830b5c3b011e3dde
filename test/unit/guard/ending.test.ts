import { FAILURE_CATEGORIES, type FailureCategory, type FailureVerdict } from '../../../src/failures/categories';
import { CATEGORY_ACTIONS } from '../../../src/failures/category-actions';
import { endingOf } from '../../../src/guard/ending';
import { ExpiredError, LateToSendError } from '../../../src/guard/ticket';
import { VenueError } from '../../../src/venues/port';

function refusal(category: FailureCategory, over: Partial<FailureVerdict> = {}): VenueError {
  const { retry, countsForBreaker, reconcile, scope } = CATEGORY_ACTIONS[category];
  const failure = {
    exchange: 'binance',
    market: 'spot',
    operation: 'place',
    phase: 'response',
    code: -1,
    message: 'said so',
  };
  const verdict = { category, retry, countsForBreaker, reconcile, scope, rule: 'test', ...over };
  return new VenueError(failure as VenueError['failure'], verdict);
}

/** Ending of a first send, ending of a resend. */
const TABLE: Record<FailureCategory, [string, string]> = {
  NOT_SENT: ['release', 'release'],
  OUTCOME_UNKNOWN: ['doubt', 'doubt'],
  UNAVAILABLE: ['release', 'release'],
  RATE_LIMIT: ['release', 'release'],
  ORDER_LIMIT: ['release', 'release'],
  BANNED: ['release', 'release'],
  CLOCK: ['release', 'release'],
  AUTH: ['reject', 'reject'],
  RESTRICTED: ['reject', 'reject'],
  FUNDS: ['reject', 'doubt'],
  INVALID: ['reject', 'reject'],
  MARKET_REJECT: ['reject', 'reject'],
  SYMBOL_HALTED: ['reject', 'reject'],
  ALREADY_APPLIED: ['doubt', 'doubt'],
  GONE: ['doubt', 'doubt'],
};

describe('how an act that threw ended', () => {
  it.each(FAILURE_CATEGORIES)('%s', (category) => {
    const endings = [false, true].map((resend) => endingOf(refusal(category), { left: true, resend }).ending);
    expect(endings).toEqual(TABLE[category]);
  });

  it('is bad for the breaker exactly where the verdict says so, and good where the venue answered for good', () => {
    const health = (category: FailureCategory): string =>
      endingOf(refusal(category), { left: true, resend: false }).health;
    expect(health('UNAVAILABLE')).toBe('fail');
    expect(health('OUTCOME_UNKNOWN')).toBe('fail');
    expect(health('FUNDS')).toBe('ok');
    expect(health('RATE_LIMIT')).toBe('none');
    expect(health('CLOCK')).toBe('none');
  });

  it('tells a hold in one line, for its breaker is kept in lines', () => {
    const { failure, verdict } = refusal('BANNED', { retryAfterMs: 60_000, scope: 'ip' });
    const page = new VenueError({ ...failure, message: '<html>\n<body>\r\n12:99\n</body>' }, verdict);
    const { hold, refusal: kept } = endingOf(page, { left: true, resend: false });
    expect(hold).toEqual({ concerns: 'venue', ms: 60_000, why: 'BANNED: <html> <body> 12:99 </body>' });
    expect(kept.message).toBe('<html> <body> 12:99 </body>');
  });

  it('keeps the venue code and words for the record', () => {
    const { refusal: kept } = endingOf(refusal('FUNDS'), { left: true, resend: false });
    expect(kept).toEqual({ category: 'FUNDS', message: 'said so', code: -1 });
  });

  it.each([new Error('bug'), 'a string', undefined, null, Object.assign(new Error('x'), { name: 'AbortError' })])(
    'is a doubt after the send and harmless before it, when it is not known what was thrown: %p',
    (thrown) => {
      expect(endingOf(thrown, { left: true, resend: false }).ending).toBe('doubt');
      expect(endingOf(thrown, { left: false, resend: false }).ending).toBe('release');
    },
  );

  it('is nothing at all when it was too late to send', () => {
    const before = { left: false, resend: false };
    expect(endingOf(new LateToSendError('late'), before).ending).toBe('release');
    expect(endingOf(new ExpiredError('over'), before)).toMatchObject({
      ending: 'reject',
      refusal: { category: 'EXPIRED' },
    });
  });

  it('is a doubt when it was too late for a second request and the first had left', () => {
    const after = { left: true, resend: false };
    expect(endingOf(new LateToSendError('late'), after).ending).toBe('doubt');
    expect(endingOf(new ExpiredError('over'), after).ending).toBe('doubt');
  });
});
