import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Redis } from 'ioredis';
import { ANSWER, effectHarness, ORDER, pauseProcess, venueSays } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { guardKeys } from '../../src/guard/keys';
import { rewrite, shiftRecord } from '../model/shift-time';

describeOnEachRedis('an attempt of an effect', (version) => {
  let server: TestRedis;
  let redis: Redis;
  let namespace: string;
  let job: ReturnType<typeof effectHarness>;

  beforeAll(async () => {
    server = await startTestRedis({ version });
    redis = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    namespace = server.namespace();
    job = effectHarness(redis, { namespace });
  });

  const lostAnswer = () => venueSays({ phase: 'after_send', code: 'ECONNRESET' });
  const thrown =
    (error: unknown) =>
    (ticket: { pass(): void }): Promise<never> => {
      ticket.pass();
      return Promise.reject(error as Error);
    };
  const timePasses = (ms: number, id = 'f1') =>
    rewrite(redis, guardKeys(namespace).record(job.ref(id)), (raw) => shiftRecord(raw, ms));

  it('acts once, writes the result down and answers it', async () => {
    const { result } = await job.attempt();
    expect(result).toEqual({ intentId: 'f1', status: 'done', order: ANSWER, replayed: false, attempts: 1 });
    expect(job.seen.sends).toBe(1);
    expect(await job.record()).toMatchObject({ state: 'DONE', payload: ANSWER, sends: 1 });
  });

  it('answers a second caller what the first one got, without acting', async () => {
    await job.attempt();
    const again = await job.attempt({ runId: 'run-2' });
    expect(again.result).toEqual({ intentId: 'f1', status: 'done', order: ANSWER, replayed: true, attempts: 1 });
    expect((await job.attempt({ attempt: 2 })).result).toMatchObject({ replayed: false });
    expect(job.seen.sends).toBe(1);
  });

  it('refuses the same intent with another payload', async () => {
    await job.attempt();
    const { failure } = await job.attempt({ input: { ...ORDER, quantity: '24' } });
    expect(failure).toMatchObject({ type: 'CONFLICT', nonRetryable: true });
    expect((await job.attempt({ input: { ...ORDER, quantity: '23.0', strategy: 'other' } })).result).toBeDefined();
    expect(job.seen.sends).toBe(1);
  });

  it('answers a final refusal again and again without asking the venue', async () => {
    const refusal = venueSays({
      httpStatus: 400,
      code: -2010,
      message: 'Account has insufficient balance for requested action.',
    });
    expect((await job.attempt({ act: thrown(refusal) })).failure).toMatchObject({ type: 'FUNDS', nonRetryable: true });
    expect((await job.attempt({ runId: 'run-2' })).failure).toMatchObject({ type: 'FUNDS', nonRetryable: true });
    expect(job.seen.sends).toBe(1);
  });

  it('takes insufficient funds on a resend for a doubt: the first order may have used them', async () => {
    await job.open();
    const lost = await job.guard.admit(job.ref(), {
      owner: { activity: 'order:f1/run-0/1', attempt: 1, nonce: 'n' },
      fingerprint: '0:older',
      ...{ leaseMs: 1, quiesceMs: 0, knownUnsent: false, mostSends: 5 },
    });
    expect(lost.kind).toBe('GO');
    for (let i = 0; i < 2; i += 1) {
      await timePasses(5_000);
      const look = await job.guard.lookBegin(job.ref(), {
        ...{
          looker: 'l',
          givenUp: '',
          fingerprint: '0:older',
          leaseMs: 1_000,
          quiesceMs: 0,
          mostLooks: 9,
          refusal: '',
        },
      });
      if (look.kind !== 'LOOK') throw new Error(look.kind);
      const absence = { quiesceMs: 0, looks: 2, gapMs: 2_000 };
      await job.guard.lookEnd(job.ref(), {
        fence: look.fence,
        verdict: 'absent',
        payload: '{}',
        absence,
      });
    }
    const refusal = venueSays({
      httpStatus: 400,
      code: -2010,
      message: 'Account has insufficient balance for requested action.',
    });
    const { failure } = await job.attempt({ act: thrown(refusal) });
    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN', sends: 2 });
  });

  it('turns a lost answer into a doubt that no attempt acts on', async () => {
    const first = await job.attempt({ act: thrown(lostAnswer()) });
    expect(first.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    for (const options of [{ attempt: 2 }, { runId: 'run-2' }]) {
      expect((await job.attempt(options)).failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    }
    expect(job.seen.sends).toBe(1);
  });

  it('refuses to act in a later attempt whose earlier one left no trace', async () => {
    const { failure } = await job.attempt({ attempt: 2 });
    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN' });
    expect(job.seen.sends).toBe(0);
  });

  it('acts in a later attempt when exactly the attempt before said that it had not', async () => {
    expect((await job.attempt({ attempt: 2, heartbeatDetails: { attempt: 1, sends: 0 } })).result).toBeDefined();
    const stale = await job.attempt({
      attempt: 3,
      heartbeatDetails: { attempt: 1, sends: 0 },
      input: { ...ORDER, intentId: 'f2' },
    });
    expect(stale.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN' });
  });

  it('does not vouch for having seen nothing when it found another worker at the act, so that a lost record is a doubt', async () => {
    let release = (): void => undefined;
    const hung = job.attempt({
      act: (ticket) => {
        ticket.pass();
        return new Promise((resolve) => (release = () => resolve(ANSWER)));
      },
    });
    // Its act is under way, not only its claim: `release` is set from here on.
    while (job.seen.sends === 0) await job.record();
    const waiting = await job.attempt({ runId: 'run-2', act: () => Promise.reject(new Error('must not act')) });
    expect(waiting.failure).toMatchObject({ type: 'BUSY', nonRetryable: false });
    expect(waiting.heartbeats).not.toContainEqual({ attempt: 1, sends: 0 });

    await server.admin.del(guardKeys(namespace).record(job.ref()));
    const next = await job.attempt({
      runId: 'run-2',
      attempt: 2,
      heartbeatDetails: waiting.heartbeats.at(-1),
      act: () => Promise.reject(new Error('must not act')),
    });
    expect(next.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN' });
    release();
    await hung;
    expect(job.seen.sends).toBe(1);
  });

  it('takes the answer of another worker that ends while it waits', async () => {
    let release = (): void => undefined;
    const first = job.attempt({
      act: (ticket) => {
        ticket.pass();
        return new Promise((resolve) => (release = () => resolve(ANSWER)));
      },
    });
    // Its act is under way, not only its claim: `release` is set from here on.
    while (job.seen.sends === 0) await job.record();
    const second = job.attempt({ runId: 'run-2', act: () => Promise.reject(new Error('must not act')) });
    release();
    expect((await first).result).toMatchObject({ replayed: false });
    expect((await second).result).toMatchObject({ replayed: true, order: ANSWER });
  });

  it('is held by an open breaker and may act afterwards, for the record says that nothing was sent', async () => {
    const away = venueSays({ httpStatus: 503, message: 'Service Unavailable.' });
    for (const intentId of ['a', 'b', 'c']) await job.attempt({ input: { ...ORDER, intentId }, act: thrown(away) });
    const held = await job.attempt();
    expect(held.failure).toMatchObject({ type: 'BREAKER_OPEN', nonRetryable: false });
    expect(Number(held.failure?.nextRetryDelay)).toBeGreaterThan(0);
    expect(await job.record()).toMatchObject({ state: 'RELEASED', sends: 0 });
    await server.admin.del(guardKeys(namespace).breaker('paper', 'order.place'));
    expect((await job.attempt({ attempt: 2 })).result).toBeDefined();
  });

  it('lets a cancel pass while the breaker of placing is open', async () => {
    const away = venueSays({ httpStatus: 503, message: 'Service Unavailable.' });
    for (const intentId of ['a', 'b', 'c']) await job.attempt({ input: { ...ORDER, intentId }, act: thrown(away) });
    expect((await job.attempt()).failure).toMatchObject({ type: 'BREAKER_OPEN' });
    expect((await job.attempt({ jobType: 'order.cancel' })).result).toMatchObject({ status: 'done' });
  });

  it('parks what was sent as often as allowed', async () => {
    job.runtime.config.retry.policy['order.place'].most_sends = 0;
    expect((await job.attempt()).failure).toMatchObject({ type: 'MANUAL', nonRetryable: true });
    expect((await job.attempt({ attempt: 2 })).failure).toMatchObject({ type: 'MANUAL' });
    expect(job.seen.sends).toBe(0);
  });

  it('never sends when the worker was paused between GO and the send', async () => {
    job.effects['order.place'].sendWithinMs = () => 30;
    const { failure } = await job.attempt({
      act: (ticket) => {
        pauseProcess(60);
        ticket.pass();
        return Promise.resolve(ANSWER);
      },
    });
    expect(failure).toMatchObject({ type: 'NOT_SENT', nonRetryable: false });
    expect(job.seen.sends).toBe(0);
    expect(await job.record()).toMatchObject({ state: 'RELEASED', sends: 0 });
    job.effects['order.place'].sendWithinMs = () => 2_000;
    expect((await job.attempt({ attempt: 2 })).result).toBeDefined();
  });

  it('does not send an order whose deadline has passed', async () => {
    const { failure } = await job.attempt({ input: { ...ORDER, expiresAt: Date.now() - 1_000 } });
    expect(failure).toMatchObject({ type: 'EXPIRED', nonRetryable: true });
    expect(job.seen.sends).toBe(0);
  });

  it('does not call an act done whose result cannot be kept: that is a doubt', async () => {
    const { failure } = await job.attempt({
      act: (ticket) => {
        ticket.pass();
        return Promise.resolve({ ...ANSWER, orderId: 7n });
      },
    });
    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(failure?.message).toContain('bigint');
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN' });
  });

  it('takes a mistake of the program after the send for a doubt, before it for harmless', async () => {
    const before = await job.attempt({ act: () => Promise.reject(new TypeError('undefined is not a function')) });
    expect(before.failure).toMatchObject({ type: 'INTERNAL', nonRetryable: false });
    expect(await job.record()).toMatchObject({ state: 'RELEASED', sends: 0 });
    const after = await job.attempt({ attempt: 2, act: thrown(new TypeError('undefined is not a function')) });
    expect(after.failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
  });

  it('signs again after a clock refusal, with a fresh clock and a claim of its own, at most twice', async () => {
    const clock = venueSays({
      httpStatus: 400,
      code: -1021,
      message: 'Timestamp for this request is outside of the recvWindow.',
    });
    let refusals = 1;
    const once = await job.attempt({
      act: (ticket) => {
        ticket.pass();
        return refusals-- > 0 ? Promise.reject(clock) : Promise.resolve(ANSWER);
      },
    });
    expect(once.result).toMatchObject({ status: 'done', attempts: 2 });
    expect(job.seen).toMatchObject({ sends: 2, clockReadings: [false, true] });

    job.seen.sends = 0;
    const always = await job.attempt({ input: { ...ORDER, intentId: 'f2' }, act: thrown(clock) });
    expect(always.failure).toMatchObject({ type: 'CLOCK', nonRetryable: false });
    expect(job.seen.sends).toBe(3);
  });

  it('takes a cancellation after the send for a doubt', async () => {
    const { error } = await job.attempt({ act: thrown(new CancelledFailure('stop')) });
    // After the send nobody knows: the doubt weighs more than the wish to stop.
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN' });
  });

  it('refuses bad input and foreign venues before anything is claimed', async () => {
    const bad = await job.attempt({ input: { ...ORDER, quantity: 23 } });
    expect(bad.failure).toMatchObject({ type: 'INVALID', nonRetryable: true });
    const foreign = await job.attempt({ input: { ...ORDER, venue: 'nowhere' } });
    expect(foreign.failure).toMatchObject({ type: 'INVALID', nonRetryable: true });
    expect(await job.record()).toBeUndefined();
    expect(await job.guard.unresolvedCount('paper')).toBe(0);
  });

  it('says that the venue is away when its clock cannot be read, and claims nothing', async () => {
    job.effects['order.place'].readyClock = () => Promise.reject(new Error('ECONNREFUSED'));
    const { failure, heartbeats } = await job.attempt();
    expect(failure).toMatchObject({ type: 'VENUE_AWAY', nonRetryable: false });
    expect(heartbeats).toContainEqual({ attempt: 1, sends: 0 });
    expect(await job.record()).toBeUndefined();
  });

  describe('while Redis is away', () => {
    let proxy: TcpProxy;
    let broken: Redis;

    beforeEach(async () => {
      proxy = await startTcpProxy(server.port);
      broken = await server.connect({ commandTimeoutMs: 300, port: proxy.port });
      job = effectHarness(broken, { namespace });
    });
    afterEach(async () => {
      broken.disconnect();
      await proxy.stop();
    });

    it('places nothing, says so, and tells the next attempt that it had not acted', async () => {
      proxy.blackHole();
      const { failure, heartbeats } = await job.attempt();
      expect(failure).toMatchObject({ type: 'STORE_DOWN', nonRetryable: false });
      expect(heartbeats.at(-1)).toEqual({ attempt: 1, sends: 0 });
      expect(job.seen.sends).toBe(0);
    });

    it('does not vouch for attempts before it that it knows nothing of', async () => {
      proxy.blackHole();
      const { heartbeats } = await job.attempt({ attempt: 2 });
      expect(heartbeats).not.toContainEqual({ attempt: 2, sends: 0 });
    });

    it('lets a cancel proceed, and counts it as unguarded', async () => {
      proxy.blackHole();
      expect((await job.attempt({ jobType: 'order.cancel' })).result).toMatchObject({
        status: 'done',
        replayed: false,
      });
      expect(job.seen.sends).toBe(1);
      const { values } = await job.metrics.sideEffects.get();
      const counted = values.filter(({ value }) => value > 0).map(({ labels }) => labels);
      expect(counted).toEqual([{ job_type: 'order.cancel', result: 'unguarded' }]);
    });

    it('answers an act that ended meanwhile, and writes it down when Redis is back', async () => {
      const { result } = await job.attempt({
        act: (ticket) => {
          ticket.pass();
          proxy.blackHole();
          return Promise.resolve(ANSWER);
        },
      });
      expect(result).toMatchObject({ status: 'done', order: ANSWER });
      expect(job.runtime.outbox.size).toBe(1);
      proxy.open();
      while ((await job.runtime.outbox.flush()) > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(await effectHarness(redis, { namespace }).record()).toMatchObject({ state: 'DONE', payload: ANSWER });
    });
  });
});
