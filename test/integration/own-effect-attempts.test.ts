import { MockActivityEnvironment } from '@temporalio/testing';
import type { Redis } from 'ioredis';
import { createActivities } from '../../activities';
import { ownLook } from '../../activities/own-look';
import { defineEffect, notApplied, refused, type EffectDefinition, type EffectTicket } from '../../src/index';
import { effectHarness, pauseProcess } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';

// One attempt at a time, through the interceptors of a worker, on a real Redis.

interface Payout {
  id: string;
  amount?: unknown;
}
type Run = EffectDefinition<Payout>['run'];

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());

/** An attempt of an effect whose `run` is this; what it came to, and what the guard's record says then. */
async function attemptOf(run: Run, over: Partial<EffectDefinition<Payout>> = {}, input: unknown = { id: 'p1' }) {
  let runs = 0;
  const effect = defineEffect<Payout, object>({
    jobType: 'payout.send',
    intentId: ({ id }) => id,
    whenUnknown: 'manual',
    whenStoreDown: 'refuse',
    run: (payout, ticket) => {
      runs += 1;
      return run(payout, ticket);
    },
    ...over,
  });
  const job = effectHarness(redis, { namespace: server.namespace(), ownEffects: [effect] });
  const end = await job.attempt({ jobType: 'payout.send', input });
  const record = await job.guard.record({ venue: 'books', jobType: 'payout.send', intentId: 'p1' });
  return { ...end, state: record?.state, sends: record?.sends, payload: record?.payload, runs };
}

const pass = (ticket: EffectTicket): void => ticket.pass();
const fails = (error: unknown, before: (ticket: EffectTicket) => void = () => undefined): Run => {
  return (_payout, ticket) => {
    before(ticket);
    return Promise.reject(error as Error);
  };
};

describe('what a run throws', () => {
  it.each<[string, Run]>([
    ['after it asked its ticket', fails(new Error('hung up'), pass)],
    ['before it asked its ticket, which looks like one that forgot to', fails(new Error('hung up'))],
    ['that is no error', fails('hung up', pass)],
    ['at once, without a promise', () => { throw new Error('hung up'); }], // prettier-ignore
  ])('is a doubt: %s', async (_what, run) => {
    const end = await attemptOf(run);
    expect(end.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true, message: 'answer lost: hung up' });
    expect(end.state).toBe('UNKNOWN');
  });

  it('is final when it is a refusal', async () => {
    const end = await attemptOf(fails(refused('RESTRICTED', 'no payouts on Sundays'), pass));
    expect(end.failure).toMatchObject({ type: 'RESTRICTED', nonRetryable: true, message: 'no payouts on Sundays' });
    expect(end.state).toBe('REJECTED');
  });

  it.each<[string, Error, object]>([
    ['with a backoff', notApplied('maintenance'), { type: 'UNAVAILABLE' }],
    [
      'with a backoff where the time makes no sense',
      notApplied('slow', { retryAfterMs: NaN }),
      { type: 'UNAVAILABLE' },
    ],
    ['when it was said to', notApplied('slow down', { retryAfterMs: 7_000 }), { nextRetryDelay: 7_000 }],
  ])('leaves the intent free when it was not applied: it is tried again %s', async (_what, error, failure) => {
    const end = await attemptOf(fails(error, pass));
    expect(end.failure).toMatchObject({ nonRetryable: false, ...failure });
    expect([end.state, end.sends]).toEqual(['RELEASED', 0]);
  });

  it('leaves the intent free when the ticket said that it is too late', async () => {
    const end = await attemptOf((_payout, ticket) => {
      pauseProcess(2_100);
      ticket.pass();
      return Promise.resolve({});
    });
    expect(end.failure).toMatchObject({ type: 'NOT_SENT', nonRetryable: false });
    expect([end.state, end.sends]).toEqual(['RELEASED', 0]);
  });

  it('is a doubt when the ticket said so about a second request', async () => {
    const end = await attemptOf((_payout, ticket) => {
      ticket.pass();
      pauseProcess(2_100);
      ticket.pass();
      return Promise.resolve({});
    });
    expect([end.failure?.type, end.state]).toEqual(['OUTCOME_UNKNOWN', 'UNKNOWN']);
  });
});

describe('a page of HTML in place of an answer', () => {
  const page = `<html>\n  <body>${'<p>Please come back later.</p>\n'.repeat(1_000)}</body>\n</html>`;
  const asShort = expect.stringMatching(/^.{300,500}$/) as string;

  it('is told and kept in one line that is not long, when a run throws it', async () => {
    const first = await attemptOf(fails(refused('RESTRICTED', page), pass));
    expect(first.failure).toMatchObject({ type: 'RESTRICTED', message: asShort });
    expect(first.payload).toEqual({ category: 'RESTRICTED', message: first.failure?.message });
    expect((await attemptOf(fails(new Error(page), pass))).payload).toEqual({ why: asShort });
  });

  it.each<[string, () => unknown, object]>([
    ['throws it', () => Promise.reject(new Error(page)), { kind: 'inconclusive', evidence: asShort }],
    ['gives it as evidence', () => ({ kind: 'absent', evidence: page }), { kind: 'absent', evidence: asShort }],
    [
      'gives it as a refusal',
      () => ({ kind: 'refused', refusal: { category: 'INVALID', message: page } }),
      { kind: 'refused', refusal: { category: 'INVALID', message: asShort } },
    ],
  ])('is shown in one line that is not long, when a look-up %s', async (_what, lookup, sighting) => {
    const definition = { lookup } as unknown as EffectDefinition;
    const look = { confirming: false, ageMs: 1, looks: 1, pass: () => undefined };
    expect(await ownLook(definition, {}, look)).toEqual(sighting);
  });
});

describe('what a run answers', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'ok'],
    ['a list', []],
    ['a time, which JSON would change', { at: new Date(0) }],
    ['a page of text, for days in Redis', { page: 'x'.repeat(2_048) }],
  ])('leaves a doubt when it cannot be kept: %s', async (_what, result) => {
    const end = await attemptOf((_payout, ticket) => {
      ticket.pass();
      return Promise.resolve(result as object);
    });
    expect([end.failure?.type, end.state]).toEqual(['OUTCOME_UNKNOWN', 'UNKNOWN']);
  });
});

describe('the breaker of a job type that somebody defined', () => {
  const attempts = async (heldByBreaker: boolean, error: () => Error): Promise<(string | undefined)[]> => {
    const effect = defineEffect<Payout, object>({
      jobType: 'payout.send',
      intentId: ({ id }) => id,
      whenUnknown: 'manual',
      whenStoreDown: 'refuse',
      heldByBreaker,
      run: fails(error()),
    });
    const job = effectHarness(redis, { namespace: server.namespace(), ownEffects: [effect] });
    const types: (string | undefined)[] = [];
    for (const id of ['p1', 'p2', 'p3']) {
      const { failure } = await job.attempt({ jobType: 'payout.send', input: { id }, runId: id });
      types.push(failure?.type);
    }
    return types;
  };
  const lost = (): Error => new Error('hung up');

  it('opens when acts fail, and holds the next one', async () => {
    expect(await attempts(true, lost)).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'BREAKER_OPEN']);
  });

  it('stays closed when acts are refused', async () => {
    expect(await attempts(true, () => refused('FUNDS', 'too little'))).toEqual(['FUNDS', 'FUNDS', 'FUNDS']);
  });

  it('holds nothing where heldByBreaker is false', async () => {
    expect(await attempts(false, lost)).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
  });
});

test('a look-up that came to a worker which does not know the effect is handed on to another one', async () => {
  const job = effectHarness(redis, { namespace: server.namespace() });
  const { lookUp, resolveIntent } = createActivities(job.runtime, { searchAttributes: false });
  const request = { jobType: 'payout.send', input: { id: 'p1' }, onAbsent: 'resend' };
  for (const ask of [lookUp, resolveIntent]) {
    const asked = new MockActivityEnvironment().run(ask as never, request as never);
    await expect(asked).rejects.toMatchObject({
      nonRetryable: false,
      nextRetryDelay: 500,
      message: expect.stringContaining('this worker does not know payout.send: another one must look') as string,
    });
  }
});

describe('an input', () => {
  const run: Run = () => Promise.resolve({});
  const schema = (input: unknown): Payout => {
    const { id, amount } = input as Payout;
    const issues = [
      ...(typeof amount === 'string' ? [] : [{ path: ['amount'], message: 'must be a string' }]),
      ...(id === 'p1' ? [] : [{ path: [], message: 'is not ours' }]),
    ];
    if (issues.length > 0) throw Object.assign(new Error(JSON.stringify(issues)), { issues });
    return { id, amount: BigInt(amount as string) };
  };

  it.each<[string, Partial<EffectDefinition<Payout>>, unknown, string]>([
    ['that is no object', {}, [1], 'payout.send refused: input: must be one object'],
    ['whose intent is no text', {}, { id: null }, 'payout.send refused: intentId: null must be 1 to 64 of'],
    ['without an intent', {}, {}, 'payout.send refused: intentId: nothing must be 1 to 64 of'],
    [
      'whose intent cannot be taken',
      { intentId: (input) => (input as never as { a: { b: string } }).a.b },
      {},
      'intentId: Cannot read',
    ],
    [
      'that its schema refuses',
      { parse: schema },
      { id: 'p2', amount: 5 },
      'amount: must be a string; input: is not ours',
    ],
    [
      'whose schema takes its time',
      { parse: () => Promise.reject(new Error('later')) as never },
      { id: 'p1' },
      'input: must be told at once, not by a promise',
    ],
    ['for a venue of nobody', { scope: () => 'nowhere' }, { id: 'p1' }, 'scope: "nowhere" is not configured'],
    ['whose scope is no text', { scope: () => 7 as never }, { id: 'p1' }, 'scope: must be a configured venue or books'],
  ])('%s is refused before anything is touched', async (_what, over, input, message) => {
    const end = await attemptOf(run, over, input);
    expect(end.failure).toMatchObject({ type: 'INVALID', nonRetryable: true });
    expect(end.failure?.message).toContain(message);
    expect([end.runs, end.state]).toEqual([0, undefined]);
  });

  it('comes to the run as its schema read it', async () => {
    let got: unknown;
    const keep: Run = ({ amount }, ticket) => {
      got = amount;
      ticket.pass();
      return Promise.resolve({ receipt: 'r1' });
    };
    const end = await attemptOf(keep, { parse: schema }, { id: 'p1', amount: '12' });
    expect(end.result).toEqual({
      intentId: 'p1',
      status: 'done',
      result: { receipt: 'r1' },
      replayed: false,
      attempts: 1,
    });
    expect(got).toBe(12n);
  });
});
