import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import pino from 'pino';
import { createEffects } from '../../../activities';
import { loadConfig } from '../../../src/config/load';
import { VenueRefusedError } from '../../../src/domain/lane';
import { InvalidInputError } from '../../../src/domain/order.schema';
import { FAILURE_CATEGORIES } from '../../../src/failures/categories';
import { CATEGORY_ACTIONS } from '../../../src/failures/category-actions';
import { ConflictError, DoubtError, HeldError, NeedsPersonError, RefusedBeforeError } from '../../../src/guard/errors';
import { ExpiredError, LateToSendError } from '../../../src/guard/ticket';
import { ClassificationInterceptor } from '../../../src/interceptors/classification';
import type { Runtime } from '../../../src/interceptors/runtime';
import { Recorder } from '../../../src/metrics/recorder';
import { VenueError } from '../../../src/venues/port';

const HOUR_MS = 3_600_000;
const config = loadConfig({ env: {} });
const log = pino({ enabled: false });
const noVenue = (): never => {
  throw new Error('this test has no venue');
};
const runtime = {
  config,
  log,
  effects: createEffects(config, noVenue, log, []),
  recorder: new Recorder(undefined, () => undefined),
} as unknown as Runtime;

/** What Temporal is told when an attempt throws `error` with `leftMs` of its job's time left. */
async function told(error: unknown, { leftMs = HOUR_MS, attempt = 1 } = {}): Promise<unknown> {
  const environment = new MockActivityEnvironment(
    {
      activityType: 'placeOrder',
      attempt,
      scheduleToCloseTimeoutMs: leftMs,
      scheduledTimestampMs: 1,
      currentAttemptScheduledTimestampMs: 1,
    },
    {
      logger: new DefaultLogger('ERROR', () => undefined),
      interceptors: [(context) => ({ inbound: new ClassificationInterceptor(context, runtime) })],
    },
  );
  const act = (_input: object): Promise<never> => Promise.reject(error as Error);
  return environment.run(act, { intentId: 'f1', venue: 'paper' }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

const venueError = (category: (typeof FAILURE_CATEGORIES)[number], retryAfterMs?: number): VenueError => {
  const { retry, countsForBreaker, reconcile, scope } = CATEGORY_ACTIONS[category];
  const verdict = { category, retry, countsForBreaker, reconcile, scope, rule: 'test' };
  const failure = { exchange: 'binance', market: 'spot', operation: 'place', phase: 'response', code: -9 } as const;
  return new VenueError({ ...failure, message: 'said so' }, retryAfterMs ? { ...verdict, retryAfterMs } : verdict);
};

describe('what Temporal is told about an attempt', () => {
  it.each([
    ['bad input', new InvalidInputError('order.place', ['quantity: missing']), 'INVALID'],
    ['a venue of the other lane', new VenueRefusedError('LANE', 'other lane'), 'LANE'],
    ['an unknown venue', new VenueRefusedError('INVALID', 'no such venue'), 'INVALID'],
    ['another payload', new ConflictError('used before'), 'CONFLICT'],
    ['a doubt', new DoubtError('answer lost'), 'OUTCOME_UNKNOWN'],
    ['a person’s turn', new NeedsPersonError('decide'), 'MANUAL'],
    ['an earlier refusal', new RefusedBeforeError({ category: 'FUNDS', message: 'no funds' }), 'FUNDS'],
    ['a passed deadline', new ExpiredError('over'), 'EXPIRED'],
  ])('of %s: it ends here', async (_what, error, type) => {
    const failure = await told(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type, nonRetryable: true, message: error.message });
    expect(failure).toMatchObject({ details: [{ intentId: 'f1', venue: 'paper', category: type }] });
  });

  it.each(FAILURE_CATEGORIES)('of %s: again exactly when its category allows it', async (category) => {
    const never = CATEGORY_ACTIONS[category].retry === 'never';
    const failure = (await told(venueError(category))) as ApplicationFailure;
    expect(failure).toMatchObject({ type: category, nonRetryable: never });
    expect(failure.nextRetryDelay !== undefined).toBe(!never);
    expect(failure.details?.[0]).toMatchObject({ code: -9, category });
  });

  it('waits as long as the venue said', async () => {
    expect(await told(venueError('RATE_LIMIT', 42_000))).toMatchObject({ nextRetryDelay: 42_000 });
  });

  it.each([
    ['BREAKER_OPEN', 'EXPIRED'],
    ['STORE_DOWN', 'EXPIRED'],
    ['STORE_UNSAFE', 'EXPIRED'],
    ['NOT_REPLICATED', 'EXPIRED'],
    ['VENUE_AWAY', 'EXPIRED'],
  ] as const)('of a hold by %s: again after its wait, and %s when the time of the job is over', async (why, atEnd) => {
    const held = new HeldError(why, 'not acted', 7_000);
    expect(await told(held)).toMatchObject({ type: why, nonRetryable: false, nextRetryDelay: 7_000 });
    expect(await told(held, { leftMs: 1_000 })).toMatchObject({ type: atEnd, nonRetryable: true });
  });

  it('of another worker at the act: again soon, as its answer comes long before its claim runs out', async () => {
    const busy = (waitMs: number): HeldError => new HeldError('BUSY', 'not acted', waitMs);
    const soon = (await told(busy(20_000))) as ApplicationFailure;
    expect(soon).toMatchObject({ type: 'BUSY', nonRetryable: false });
    expect(Number(soon.nextRetryDelay)).toBeLessThanOrEqual(1_000);
    expect(await told(busy(50))).toMatchObject({ nextRetryDelay: 50 });
    expect(await told(busy(20_000), { leftMs: 1_000 })).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
  });

  it('never plans an attempt for after the end of the job', async () => {
    const failure = (await told(new HeldError('BREAKER_OPEN', 'held', HOUR_MS), {
      leftMs: 10_000,
    })) as ApplicationFailure;
    expect(failure.nonRetryable).toBe(false);
    expect(Number(failure.nextRetryDelay)).toBeLessThanOrEqual(8_000);
  });

  it('of a request that came too late to leave, and of a mistake of the program: again, later each time', async () => {
    for (const error of [new LateToSendError('late'), new TypeError('undefined is not a function')]) {
      const [first, fifth] = (await Promise.all([told(error), told(error, { attempt: 5 })])) as ApplicationFailure[];
      expect(first).toMatchObject({ nonRetryable: false });
      expect(Number(fifth?.nextRetryDelay)).toBeGreaterThan(Number(first?.nextRetryDelay) * 4);
    }
  });

  it('keeps file paths and causes out of histories', async () => {
    const failure = (await told(new TypeError('bug'))) as ApplicationFailure;
    expect(failure.stack).toBe('INTERNAL: bug');
    expect(failure.cause).toBeUndefined();
  });

  it.each([
    ['a cancellation', new CancelledFailure('stop')],
    ['an abort', Object.assign(new Error('aborted'), { name: 'AbortError' })],
    ['async completion', new CompleteAsyncError()],
    ['a failure that is classified already', ApplicationFailure.nonRetryable('x', 'FUNDS')],
  ])('of %s: it passes untouched', async (_what, error) => {
    expect(await told(error)).toBe(error);
  });
});
