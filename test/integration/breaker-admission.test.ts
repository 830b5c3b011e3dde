import type { Redis } from 'ioredis';
import { LocalBreakers } from '../../src/breaker/local';
import { NO_OVERRIDE } from '../../src/breaker/override';
import { guardKeys } from '../../src/guard/keys';
import { tellTurns } from '../../src/interceptors/breaker-act';
import { shiftBreaker, rewrite } from '../model/shift-time';
import { effectHarness, ORDER, venueSays, type AttemptEnd } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';

let server: TestRedis;
let redis: Redis;
let namespace: string;
let job: ReturnType<typeof effectHarness>;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());
beforeEach(() => {
  namespace = server.namespace();
  job = effectHarness(redis, { namespace });
  // What all workers see is meant here; by itself this process would hold back sooner.
  job.runtime.locals = new LocalBreakers(() => undefined);
});
const breaker = async () => (await job.guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker;

describe('an attempt whose request cannot leave its worker', () => {
  const unreachable = () => venueSays({ phase: 'before_send', code: 'ECONNREFUSED' });
  let placed = 0;
  const fails = (worker: number, error: Error = unreachable()): Promise<AttemptEnd> => {
    job.runtime.workerNumbers = { at: () => worker };
    placed += 1;
    return job.attempt({ input: { ...ORDER, intentId: `i${placed}` }, act: () => Promise.reject(error) });
  };

  it('says nothing of the venue, until other workers have the same trouble', async () => {
    job.runtime.workerNumbers = { at: () => 7 };
    await job.attempt();
    for (let i = 0; i < 4; i += 1) expect((await fails(0)).failure?.type).toBe('NOT_SENT');
    expect(await breaker()).toMatchObject({ state: 'CLOSED', calls: 1, failures: 0, own: 4 });
    await fails(7);
    expect(await breaker()).toMatchObject({ state: 'OPEN', why: '5 of 6 calls failed' });
  });

  it('speaks of the venue where no other worker is at work', async () => {
    for (let i = 0; i < 2; i += 1) await fails(0);
    expect(await breaker()).toMatchObject({ state: 'OPEN', why: '2 of 2 calls failed' });
    const { failure } = await fails(0, new Error('must not act'));
    expect(failure).toMatchObject({ type: 'BREAKER_OPEN', nonRetryable: false });
  });

  it('leaves the read that comes before all acts to another worker', async () => {
    const away = venueSays({ httpStatus: 503, message: 'Service Unavailable.' });
    for (const worker of [0, 7, 0]) await fails(worker, away);
    const key = guardKeys(namespace).breaker('paper', 'order.place');
    const { circuit_breaker: settings } = job.runtime.config.retry;
    await rewrite(redis, key, (raw) =>
      shiftBreaker(raw, settings.open_seconds * 1_000, settings.window_seconds * 1_000),
    );

    const reads: number[] = [];
    job.effects['order.place'].probe = () => {
      const worker = job.runtime.workerNumbers.at('paper');
      reads.push(worker);
      return worker === 0 ? Promise.reject(unreachable()) : Promise.resolve();
    };
    expect((await fails(0, new Error('must not act'))).failure).toMatchObject({ type: 'BREAKER_OPEN' });
    expect(await breaker()).toMatchObject({ state: 'OPEN', openings: 1 });

    await rewrite(redis, key, (raw) => shiftBreaker(raw, 1_000, settings.window_seconds * 1_000));
    job.runtime.workerNumbers = { at: () => 7 };
    expect((await job.attempt()).result).toMatchObject({ status: 'done' });
    expect(await breaker()).toMatchObject({ state: 'HALF_OPEN' });
    expect(reads).toEqual([0, 7]);
  });

  it('is counted as one opening, however often the breaker is opened while it is open', async () => {
    for (let i = 0; i < 2; i += 1) await fails(0);
    const order = { ...NO_OVERRIDE, number: 1, force: 'open' as const, forMs: 60_000, rows: [] };
    const forced = await job.guard.breakers.order('paper', 'order.place', order);
    if (forced.kind === 'OK') tellTurns(job.runtime, 'paper', forced.turns);
    expect(job.turns.map(({ from, to }) => `${from} ${to}`)).toEqual(['CLOSED OPEN', 'OPEN OPEN']);
    const { values } = await job.metrics.breakerTransitions.get();
    const opened = values.find(({ labels }) => labels.job_type === 'order.place' && labels.to === 'OPEN');
    expect(opened?.value).toBe(1);
  });
});

describe('a breaker whose Redis has another clock since, an hour behind', () => {
  const HOUR_MS = 3_600_000;
  let count = 0;

  beforeEach(() => {
    job.effects['order.place'].probe = () => Promise.resolve();
  });

  const place = (error?: Error): Promise<AttemptEnd> =>
    job.attempt({
      input: { ...ORDER, intentId: `c${++count}` },
      ...(error && { act: (ticket) => (ticket.pass(), Promise.reject(error)) }),
    });
  const away = () => venueSays({ httpStatus: 503, message: 'Service Unavailable.' });
  /** All that Redis holds of the breaker was written by a clock that ran ahead. */
  const goBack = () =>
    rewrite(redis, guardKeys(namespace).breaker('paper', 'order.place'), (raw) => {
      const lines = shiftBreaker(raw, -HOUR_MS, 30_000).split('\n');
      return lines.map((line, at) => (at === TURNED_AT ? String(Number(line) + HOUR_MS * 1_000) : line)).join('\n');
    });
  const untilIt = async (is: string): Promise<void> => {
    const { circuit_breaker: settings } = job.runtime.config.retry;
    const key = guardKeys(namespace).breaker('paper', 'order.place');
    await rewrite(redis, key, (raw) => shiftBreaker(raw, settings.maximum_open_seconds * 1_000, 30_000));
    await place();
    expect((await breaker()).state).toBe(is);
  };

  it('holds no longer than its longest opening, and goes its way from there', async () => {
    for (let i = 0; i < 2; i += 1) await place(away());
    await goBack();
    expect((await place()).failure).toMatchObject({ type: 'BREAKER_OPEN' });
    const { openUntil } = await breaker();
    const { maximum_open_seconds: most } = job.runtime.config.retry.circuit_breaker;
    expect(openUntil - (await job.guard.now())).toBeLessThanOrEqual(most * 1_000);
    await untilIt('HALF_OPEN');
    for (let i = 0; i < 4; i += 1) expect((await place()).result).toMatchObject({ status: 'done' });
    expect((await breaker()).state).toBe('RAMP');
  });

  it('hears of failures at once', async () => {
    for (let i = 0; i < 2; i += 1) await place(away());
    await untilIt('HALF_OPEN');
    for (let i = 0; i < 4; i += 1) await place();
    await rewrite(redis, guardKeys(namespace).breaker('paper', 'order.place'), (raw) =>
      raw.replace('\nRAMP\n', '\nCLOSED\n'),
    );
    await goBack();
    for (let i = 0; i < 2; i += 1) await place(away());
    expect(await breaker()).toMatchObject({ state: 'OPEN', why: '2 of 2 calls failed' });
  });
});

/** Line of the packed breaker with the microseconds of its last turn. */
const TURNED_AT = 4;
