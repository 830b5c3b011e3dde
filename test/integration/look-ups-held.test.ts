import type { Redis } from 'ioredis';
import { NO_OVERRIDE } from '../../src/breaker/override';
import { LOOK_UP_LEVEL, VENUE_LEVEL } from '../../src/breaker/scope';
import { waitUntil } from '../../src/dev/wait-until';
import type { LookUpAnswer } from '../../src/domain/job-plan';
import { guardKeys } from '../../src/guard/keys';
import { rewrite, shiftBreaker } from '../model/shift-time';
import { effectHarness, ORDER, venueSays } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';
import { scriptedVenue } from '../support/scripted-venue';

describe('a look-up', () => {
  let server: TestRedis;
  let redis: Redis;
  let namespace: string;
  let job: ReturnType<typeof effectHarness>;
  let asked: string[];
  /** What the venue says to whoever asks; nothing: it knows no such order. */
  let says: Error | undefined;
  const { look } = scriptedVenue();

  beforeAll(async () => {
    server = await startTestRedis();
    redis = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    namespace = server.namespace();
    job = worker(0);
    await job.open();
    [asked, says] = [[], undefined];
  });

  function worker(
    number: number,
    answer = () => says,
    more: { localNow?: () => number; mode?: 'observe' } = {},
  ): typeof job {
    const made = effectHarness(redis, { namespace, worker: number, ...more });
    made.effects['order.place'].lookUp = (input) => {
      asked.push((input as typeof ORDER).intentId);
      const error = answer();
      return error ? Promise.reject(error) : Promise.resolve({ kind: 'absent', evidence: 'no such order' });
    };
    return made;
  }
  const lookFor = (intentId: string, by = job): Promise<LookUpAnswer> => look(by, intentId);
  const unavailable = () => venueSays({ operation: 'query', httpStatus: 503, message: 'Service Unavailable.' });
  const standing = async (level: string) => (await job.guard.breakers.read('paper', [level])).at(-1)!.breaker;
  /** Two looks that the venue does not answer: enough by the settings of the harness. */
  const blind = async (): Promise<void> => {
    says = unavailable();
    for (const intentId of ['a', 'b']) await expect(lookFor(intentId)).rejects.toThrow('the venue could not be asked');
    says = undefined;
  };

  it('leaves a venue alone that does not answer, says why, and uses up none of its looks', async () => {
    await blind();
    expect(await standing(LOOK_UP_LEVEL)).toMatchObject({ state: 'OPEN', why: '2 of 2 calls failed' });
    await expect(lookFor('c')).rejects.toMatchObject({
      type: 'OUTCOME_UNKNOWN',
      nonRetryable: false,
      message: expect.stringMatching(
        /answer lost; .*c.*: not asked: breaker paper\/look-up: 2 of 2 calls failed; next look in \d+ s/,
      ) as string,
    });
    expect(asked).toEqual(['a', 'b']);
    expect(await job.record('c')).toMatchObject({ state: 'UNKNOWN', looks: 0 });
    expect(await job.record('a')).toMatchObject({ state: 'UNKNOWN', looks: 1 });
  });

  it('says nothing of acts, which go on while it is held', async () => {
    await blind();
    expect((await job.attempt({ input: { ...ORDER, intentId: 'act' } })).result).toMatchObject({ status: 'done' });
    expect(await standing('order.place')).toMatchObject({ state: 'CLOSED', failures: 0 });
    expect(await standing(VENUE_LEVEL)).toMatchObject({ state: 'CLOSED', failures: 0 });
  });

  it('finds its way back: when its time is over a few looks try, and the first that is answered is heard', async () => {
    await blind();
    const key = guardKeys(namespace).breaker('paper', LOOK_UP_LEVEL);
    const { open_seconds, window_seconds } = job.runtime.config.retry.circuit_breaker;
    await rewrite(redis, key, (raw) => shiftBreaker(raw, open_seconds * 1_000, window_seconds * 1_000));
    await expect(lookFor('c')).rejects.toThrow('no such order');
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(await standing(LOOK_UP_LEVEL)).toMatchObject({ state: 'HALF_OPEN' });
    expect(job.turns).toContainEqual(expect.objectContaining({ scope: 'paper/look-up', to: 'HALF_OPEN' }));
  });

  it('is held by no kill, no forced open and no open breaker of acts', async () => {
    const held = { ...NO_OVERRIDE, forMs: 60_000, actor: 'ada', rows: [] };
    await job.guard.breakers.order('paper', 'all', { ...held, number: 1, kill: true });
    await job.guard.breakers.order('paper', VENUE_LEVEL, { ...held, number: 1, kill: true });
    await job.guard.breakers.order('paper', 'order.place', { ...held, number: 1, force: 'open' });
    expect((await job.attempt()).failure).toMatchObject({ type: 'BREAKER_OPEN' });
    await expect(lookFor('a')).rejects.toThrow('no such order');
    expect(asked).toEqual(['a']);
  });

  it('rests while people say so, and goes on where they say that', async () => {
    const force = (number: number, to: '' | 'open' | 'closed') =>
      job.guard.breakers.order('paper', LOOK_UP_LEVEL, {
        ...{ ...NO_OVERRIDE, actor: 'ada', reason: 'maintenance', rows: [] },
        ...{ number, force: to, forMs: 60_000 },
      });
    await force(1, 'open');
    await expect(lookFor('a')).rejects.toThrow('breaker paper/look-up: forced open by ada: maintenance');
    await force(2, '');
    await blind();
    await force(3, 'closed');
    await expect(lookFor('c')).rejects.toThrow('no such order');
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('that hears of a ban keeps every act and every other look from the venue until that is over', async () => {
    says = venueSays({ operation: 'query', httpStatus: 418, headers: { 'retry-after': '30' }, message: 'banned' });
    await expect(lookFor('a')).rejects.toThrow('banned');
    says = undefined;
    await expect(lookFor('b')).rejects.toThrow(/not asked: breaker paper: .*banned; next look in \d+ s/);
    for (const jobType of ['order.place', 'order.cancel'])
      expect((await job.attempt({ jobType, act: mustNotAct })).failure).toMatchObject({ type: 'BREAKER_OPEN' });
    expect(asked).toEqual(['a']);
  });

  it('that does not leave its worker is left to others by that worker alone', async () => {
    const cut = worker(7, () => venueSays({ operation: 'query', phase: 'before_send', code: 'ECONNREFUSED' }));
    await expect(lookFor('a')).rejects.toThrow('no such order');
    for (const intentId of ['b', 'c']) await expect(lookFor(intentId, cut)).rejects.toThrow('could not be asked');
    await expect(lookFor('d', cut)).rejects.toThrow('this worker alone holds back');
    await expect(lookFor('d')).rejects.toThrow('no such order');
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    expect(await standing(LOOK_UP_LEVEL)).toMatchObject({ state: 'CLOSED', own: 2 });
  });

  it('that tries for its worker alone and asks nobody leaves the trying to the next one', async () => {
    const clock = { ms: 0 };
    const noRoute = () => venueSays({ operation: 'query', phase: 'before_send', code: 'ECONNREFUSED' });
    let route: typeof noRoute | (() => undefined) = noRoute;
    const cut = worker(7, () => route(), { localNow: () => clock.ms });
    await job.attempt({ input: { ...ORDER, intentId: 'known' } });
    await expect(lookFor('a')).rejects.toThrow('no such order');
    for (const intentId of ['b', 'c']) await expect(lookFor(intentId, cut)).rejects.toThrow('could not be asked');
    await expect(lookFor('d', cut)).rejects.toThrow('this worker alone holds back');
    clock.ms += job.runtime.config.retry.circuit_breaker.open_seconds * 1_000;
    expect(await lookFor('known', cut)).toMatchObject({ outcome: 'done' });
    route = () => undefined;
    await expect(lookFor('d', cut)).rejects.toThrow('no such order');
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
  });

  it('that hears when to come back has its worker take no act until then', async () => {
    says = venueSays({ operation: 'query', httpStatus: 429, headers: { 'retry-after': '30' }, message: 'slow down' });
    await expect(lookFor('a')).rejects.toThrow('slow down');
    const place = { venue: 'paper', jobType: 'order.place' };
    const isShut = () => Promise.resolve(job.runtime.breakerWatch.pace(place).perSecond === 0);
    expect(await waitUntil(isShut, { timeoutMs: 5_000, everyMs: 5 })).toBe(true);
    expect(job.runtime.breakerWatch.pace(place)).toMatchObject({ standing: 'HELD', scope: 'paper' });
  });

  it('that hears what concerns its account holds the looks of that account and no others', async () => {
    const account = 'main';
    says = venueSays({ operation: 'query', httpStatus: 429, code: -1015, message: 'too many orders' });
    await expect(look(job, 'a', { account })).rejects.toThrow('too many orders');
    says = undefined;
    await expect(look(job, 'b', { account })).rejects.toThrow(/not asked: breaker paper\/account\/main: ORDER_LIMIT/);
    await expect(look(job, 'c', { account: 'other' })).rejects.toThrow('no such order');
    await expect(lookFor('d')).rejects.toThrow('no such order');
    expect(asked).toEqual(['a', 'c', 'd']);
  });

  it('is let through, and counted, where a breaker only observes', async () => {
    job = worker(0, undefined, { mode: 'observe' });
    await blind();
    expect(await standing(LOOK_UP_LEVEL)).toMatchObject({ state: 'OPEN' });
    await expect(lookFor('c')).rejects.toThrow('no such order');
    expect(asked).toEqual(['a', 'b', 'c']);
    expect((await job.metrics.wouldBlock.get()).values).toContainEqual({ labels: { job_type: 'look-up' }, value: 1 });
  });

  it('is told to a Redis that is full, held or made', async () => {
    await blind();
    await server.admin.set('filler', 'x'.repeat(500_000));
    await server.admin.config('SET', 'maxmemory', '100000');
    try {
      await expect(lookFor('a')).rejects.toThrow('not asked: breaker paper/look-up');
      const key = guardKeys(namespace).breaker('paper', LOOK_UP_LEVEL);
      await server.admin.del(key);
      await expect(lookFor('a')).rejects.toThrow('no such order');
      expect(await standing(LOOK_UP_LEVEL)).toMatchObject({ calls: 1 });
    } finally {
      await server.admin.config('SET', 'maxmemory', '0');
      await server.admin.del('filler');
    }
  });
});

function mustNotAct(): Promise<never> {
  return Promise.reject(new Error('must not act'));
}
