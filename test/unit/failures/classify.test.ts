import fc from 'fast-check';

import { FAILURE_CATEGORIES, type FailureInput } from '../../../src/failures/categories';
import { classifyFailure } from '../../../src/failures/classify';
import { failureOf } from '../../support/failure-line';

const NOW = 1_750_000_000_000;

describe('what to do about it', () => {
  const transport = (phase: FailureInput['phase'], operation: FailureInput['operation'] = 'place'): FailureInput => ({
    exchange: 'binance',
    market: 'spot',
    operation,
    phase,
    code: 'ECONNRESET',
    message: 'read ECONNRESET',
  });

  it('sends a request that never left again, after a pause, and the breaker counts it', () => {
    expect(classifyFailure(transport('before_send'))).toEqual({
      category: 'NOT_SENT',
      retry: 'backoff',
      countsForBreaker: true,
      reconcile: false,
      scope: 'endpoint',
      rule: 'transport/never-left',
    });
  });

  it('never sends again what may have been read, even for a code that only a connect gives', () => {
    const refused = { ...transport('after_send'), code: 'ECONNREFUSED' };
    expect(classifyFailure(refused)).toEqual({
      category: 'OUTCOME_UNKNOWN',
      retry: 'never',
      countsForBreaker: true,
      reconcile: true,
      scope: 'intent',
      rule: 'transport/answer-lost',
    });
  });

  it('does not believe that a request never left when it was answered', () => {
    expect(classifyFailure({ ...transport('before_send'), httpStatus: 500 }).category).toBe('OUTCOME_UNKNOWN');
  });

  it.each(['spot query 500 -', 'spot query 200 -', 'spot query 400 -1007', 'usdm query 504 -', 'spot query - -'])(
    'asks again after a pause where a question went unanswered: %s',
    (line) => {
      const verdict = classifyFailure(failureOf(line));
      expect(verdict).toMatchObject({ category: 'OUTCOME_UNKNOWN', retry: 'backoff', reconcile: false });
    },
  );

  it('keeps the breaker out of refusals, limits and clock errors', () => {
    const counted = ['spot place 429 -1003', 'spot place 429 -1015', 'spot place 400 -1021', 'spot place 400 -1121']
      .concat(['spot place 400 -2015', 'spot place 400 -2013', 'spot place 400 -2010 "insufficient balance"'])
      .map((line) => classifyFailure(failureOf(line)).countsForBreaker);
    expect(counted).not.toContain(true);
    expect(classifyFailure(failureOf('spot place 418 -')).countsForBreaker).toBe(true);
    expect(classifyFailure(failureOf('usdm place 503 -1008')).countsForBreaker).toBe(true);
  });

  it('resyncs the clock and sends at once after -1021', () => {
    expect(classifyFailure(failureOf('spot place 400 -1021')).retry).toBe('now');
  });

  it('asks for the order behind a duplicate and behind one that is gone', () => {
    const duplicate = classifyFailure(failureOf('spot place 400 -2010 "Duplicate order sent."'));
    expect(duplicate).toMatchObject({ retry: 'never', reconcile: true });
    expect(classifyFailure(failureOf('spot cancel 400 -2011'))).toMatchObject({ retry: 'never', reconcile: true });
  });

  it('holds the right thing', () => {
    const scopes = ['spot place 429 -1003', 'spot place 429 -1015', 'spot place 400 -2015', 'spot place 400 -1021']
      .concat(['spot place 400 -1013 "Market is closed."', 'spot place 451 -', 'usdm place 503 -1008'])
      .map((line) => classifyFailure(failureOf(line)).scope);
    expect(scopes).toEqual(['ip', 'account', 'key', 'none', 'symbol', 'account', 'exchange']);
  });

  it('waits as long as Retry-After says, in seconds, whatever the spelling of the header', () => {
    const limited = { ...failureOf('spot place 429 -1003'), headers: { 'RETRY-after': '17' } };
    expect(classifyFailure(limited)).toMatchObject({ retry: 'after', retryAfterMs: 17_000 });
  });

  it('waits until a stated end of the ban, or as long as Retry-After says if that is longer', () => {
    const banned = failureOf(
      `spot place 418 -1003 "Way too many requests; IP banned until ${NOW + 90_000}. Use streams."`,
    );
    expect(classifyFailure(banned, () => NOW)).toMatchObject({
      category: 'BANNED',
      retry: 'after',
      retryAfterMs: 90_000,
    });
    const longer = { ...banned, headers: { 'retry-after': '120' } };
    expect(classifyFailure(longer, () => NOW).retryAfterMs).toBe(120_000);
  });

  it('waits two minutes for a ban whose stated end has passed by the local clock, which must be wrong', () => {
    const banned = failureOf(`spot place 418 -1003 "IP banned until ${NOW - 5_000}."`);
    expect(classifyFailure(banned, () => NOW).retryAfterMs).toBe(120_000);
  });

  it('waits a safe time where the venue states none', () => {
    expect(classifyFailure(failureOf('spot place 429 -1003')).retryAfterMs).toBe(60_000);
    expect(classifyFailure(failureOf('spot place 429 -1015')).retryAfterMs).toBe(10_000);
  });

  it('judges an exchange without rules by phase and status alone', () => {
    const unknown = { exchange: 'nowhere', market: 'spot', operation: 'place', phase: 'response' } as const;
    const categories = [429, 418, 401, 400, 500, 200].map(
      (httpStatus) =>
        classifyFailure({ ...unknown, httpStatus, code: -2010, message: 'Duplicate order sent.' }).category,
    );
    expect(categories).toEqual(['RATE_LIMIT', 'BANNED', 'AUTH', 'INVALID', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
    expect(classifyFailure({ ...unknown, market: 'margin', exchange: 'binance', httpStatus: 503 }).category).toBe(
      'OUTCOME_UNKNOWN',
    );
  });

  it('names the rule by file and id', () => {
    expect(classifyFailure(failureOf('spot place 503 -1001')).rule).toBe('binance-spot/any-5xx');
  });
});

describe('any input at all', () => {
  const anyFailure = fc.record({
    exchange: fc.constantFrom('binance', 'bybit', '', '__proto__'),
    market: fc.constantFrom('spot', 'usdm', 'coinm', 'pm', 'constructor'),
    operation: fc.constantFrom<FailureInput['operation']>('place', 'cancel', 'amend', 'query'),
    phase: fc.constantFrom<FailureInput['phase']>('before_send', 'after_send', 'response'),
    httpStatus: fc.option(fc.oneof(fc.integer(), fc.integer({ min: 100, max: 599 }), fc.double()), { nil: undefined }),
    code: fc.option(fc.oneof(fc.integer({ min: -5100, max: 0 }), fc.double(), fc.string()), { nil: undefined }),
    message: fc.option(
      fc.oneof(fc.string(), fc.constantFrom('Market is closed.', 'IP banned until 1', 'Service Unavailable.')),
      { nil: undefined },
    ),
    headers: fc.option(fc.dictionary(fc.constantFrom('retry-after', 'Retry-After', 'x'), fc.string()), {
      nil: undefined,
    }),
  });

  it('gets exactly one category and a usable wait', () => {
    fc.assert(
      fc.property(anyFailure, (failure) => {
        const verdict = classifyFailure(failure, () => NOW);
        expect(FAILURE_CATEGORIES).toContain(verdict.category);
        expect(verdict.rule).toMatch(/^[a-z0-9-]+\/[a-z0-9-]+$/);
        if (verdict.retry === 'after') expect(verdict.retryAfterMs).toBeGreaterThanOrEqual(0);
        else expect(verdict).not.toHaveProperty('retryAfterMs');
      }),
      { numRuns: 2000 },
    );
  });

  it('never lets an act be sent again whose answer was lost', () => {
    const acts = anyFailure.filter(({ operation }) => operation !== 'query');
    fc.assert(
      fc.property(acts, (failure) => {
        const verdict = classifyFailure({ ...failure, phase: 'after_send' }, () => NOW);
        expect(verdict).toMatchObject({ category: 'OUTCOME_UNKNOWN', retry: 'never', reconcile: true });
      }),
    );
  });

  it('never lets an act on spot be sent again after a 5xx, whatever the body says', () => {
    fc.assert(
      fc.property(anyFailure, fc.integer({ min: 500, max: 599 }), (failure, httpStatus) => {
        const act = { ...failure, exchange: 'binance', market: 'spot', operation: 'place', phase: 'response' } as const;
        expect(classifyFailure({ ...act, httpStatus }).category).toBe('OUTCOME_UNKNOWN');
      }),
    );
  });

  it('survives callers that know no types', () => {
    const nulls = { exchange: null, market: null, operation: null, phase: null, code: null, message: 5, headers: null };
    expect(classifyFailure(nulls as unknown as FailureInput).category).toBe('OUTCOME_UNKNOWN');
    const texts = { ...failureOf('spot place 400 -2013'), httpStatus: '400', code: '-2013' };
    expect(classifyFailure(texts as unknown as FailureInput).category).toBe('GONE');
  });
});
