import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { NO_OVERRIDE, type Override } from '../../src/breaker/override';
import type { Guard } from '../../src/guard/guard';
import { defineEffect } from '../../src/index';
import { isShut } from '../../src/worker/gate';
import { CANCEL, effectHarness, ORDER, venueSays } from '../support/effect-harness';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { startTestRedis, type TestRedis } from '../support/redis';

const PLACE = { venue: 'paper', jobType: 'order.place' };
const OPEN_MS = 15_000;

let server: TestRedis;
let redis: Redis;
let namespace: string;
let proxy: TcpProxy;
let intents = 0;

beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  proxy = await startTcpProxy(server.port);
  redis = await server.connect({ port: proxy.port, commandTimeoutMs: 500 });
  namespace = server.namespace();
});
afterEach(async () => {
  redis.disconnect();
  await proxy.stop();
});

const notified = defineEffect<{ id: string; fails?: boolean }, { ok: true }>({
  jobType: 'signal.publish',
  intentId: ({ id }) => id,
  scope: () => 'paper',
  whenUnknown: 'repeat',
  whenStoreDown: 'proceed',
  run: ({ fails }, ticket) => {
    ticket.pass();
    return fails ? Promise.reject(venueSays({ httpStatus: 503, phase: 'response' })) : Promise.resolve({ ok: true });
  },
});

/** A worker whose own breakers go by a clock that the test moves. */
function aWorker(worker = 0, mode: 'observe' | 'enforce' = 'enforce') {
  const clock = { ms: 0 };
  const job = effectHarness(redis, { namespace, worker, mode, ownEffects: [notified], localNow: () => clock.ms });
  const anIntent = () => ({ ...ORDER, intentId: `alone-${(intents += 1)}` });
  return {
    ...job,
    clock,
    place: (act?: () => Promise<never>) => job.attempt({ input: anIntent(), ...(act && { act }) }),
    cancel: () => job.attempt({ jobType: 'order.cancel', input: { ...CANCEL, intentId: `c-${(intents += 1)}` } }),
    publish: (fails = false) => job.attempt({ jobType: 'signal.publish', input: { id: `s-${(intents += 1)}`, fails } }),
  };
}

const unwell = (): Promise<never> => Promise.reject(venueSays({ httpStatus: 503, phase: 'response' }));
async function backAgain(): Promise<void> {
  proxy.open();
  while (redis.status !== 'ready') await once(redis, 'ready');
}

/** Orders as a control workflow writes them. */
const order = (job: { guard: Guard }, level: string, over: Partial<Override>): Promise<unknown> =>
  job.guard.breakers.order('paper', level, { ...NO_OVERRIDE, number: 1, forMs: 60_000, rows: [], ...over });

const HELD = { failure: { type: 'BREAKER_OPEN', nonRetryable: false } };
const DONE = { result: { status: 'done' } };

describe('a worker that fails while others do not', () => {
  it('holds back alone, says so, and tries one act when its time is over', async () => {
    const [failing, well] = [aWorker(0), aWorker(1)];
    const known = { ...ORDER, intentId: 'known' };
    await well.attempt({ input: known });
    await failing.place(unwell);
    await well.place();
    await failing.place(unwell);
    expect(isShut(failing.runtime, PLACE)).toBe(true);
    expect(isShut(well.runtime, PLACE)).toBe(false);

    proxy.close();
    // Redis is not asked: it would not answer.
    const held = await failing.place();
    expect(held).toMatchObject(HELD);
    expect(held.failure?.message).toMatch(/paper\/order\.place: this worker alone holds back: .* tries again in 15 s/);
    // Nobody acted, should Redis know nothing of it.
    expect(held.heartbeats).toContainEqual({ attempt: 1, sends: 0 });
    await backAgain();
    expect(await well.place()).toMatchObject(DONE);
    expect(await failing.cancel()).toMatchObject(DONE);

    failing.clock.ms = OPEN_MS;
    await failing.place(unwell);
    expect(isShut(failing.runtime, PLACE)).toBe(true);
    failing.clock.ms += 2 * OPEN_MS - 1;
    expect(await failing.place()).toMatchObject(HELD);
    failing.clock.ms += 1;
    // One that was done before says nothing: another may try at once.
    expect(await failing.attempt({ input: known })).toMatchObject(DONE);
    expect(await failing.place()).toMatchObject(DONE);
    expect(isShut(failing.runtime, PLACE)).toBe(false);
    expect(await failing.place()).toMatchObject(DONE);
  });

  it('does not hold the others, whatever number it and they had drawn', async () => {
    const [failing, well] = [aWorker(5), aWorker(5)];
    for (const { runtime } of [failing, well]) await runtime.breakerWatch.refresh();
    await well.place();
    for (let i = 0; i < 3; i += 1) await failing.place(unwell);
    expect(isShut(failing.runtime, PLACE)).toBe(true);
    expect((await well.guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker.state).toBe('CLOSED');
    expect(await well.place()).toMatchObject(DONE);
  });

  it('goes on where breakers only observe, and counts what it would have held', async () => {
    const [failing, well] = [aWorker(0, 'observe'), aWorker(1, 'observe')];
    await well.place();
    await failing.place(unwell);
    expect(failing.runtime.locals.of(PLACE)?.enter()).toMatchObject({ why: 'of all workers only this one fails' });
    expect(await failing.place()).toMatchObject(DONE);
    expect((await failing.metrics.wouldBlock.get()).values).toContainEqual({
      labels: { job_type: 'order.place' },
      value: 1,
    });
  });
});

describe('a worker whose own network fails', () => {
  it('holds back alone when enough of its calls did not leave, and nobody else does', async () => {
    const [cutOff, well] = [aWorker(0), aWorker(1)];
    const unresolved = () => Promise.reject(venueSays({ phase: 'before_send', code: 'ENOTFOUND' }));
    await well.place();
    await cutOff.place(unresolved);
    expect(isShut(cutOff.runtime, PLACE)).toBe(false);
    await cutOff.place(unresolved);
    expect((await cutOff.place()).failure?.message).toMatch(/this worker alone holds back: 2 of 2 calls failed/);
    expect(await well.place()).toMatchObject(DONE);
    expect(isShut(well.runtime, PLACE)).toBe(false);
  });

  it('leaves it to others to try whether the venue is well again', async () => {
    const [cutOff, well] = [aWorker(0), aWorker(1)];
    for (const each of [cutOff, well]) await each.place();
    cutOff.effects['order.place'].probe = () => Promise.reject(venueSays({ phase: 'before_send', code: 'ENOTFOUND' }));
    well.effects['order.place'].probe = () => Promise.resolve();
    await order(well, 'order.place', { force: 'open', actor: 'ann', reason: 'drill' });
    await order(well, 'order.place', { number: 2 });
    // Each of its reads is followed by a second in which others may try.
    let said = '';
    while (!said.includes('this worker alone')) {
      said = (await cutOff.place()).failure?.message ?? '';
      await sleep(50);
    }
    expect(said).toMatch(/1 of 2 calls failed/);
    while (!(await well.place()).result) await sleep(50);
  });
});

describe('while Redis is away', () => {
  it.each<[string, string, Partial<Override>]>([
    ['a kill', 'all', { kill: true, killedBy: 'ann', killReason: 'drill' }],
    ['a forced opening', 'signal.publish', { force: 'open', actor: 'ann', reason: 'drill' }],
  ])('%s that was seen holds what goes on without the guard, and no cancel', async (_what, level, over) => {
    const worker = aWorker();
    await worker.open();
    await order(worker, level, over);
    await worker.runtime.breakerWatch.refresh('paper');
    proxy.close();
    const held = await worker.publish();
    expect(held).toMatchObject(HELD);
    expect(held.failure?.message).toMatch(
      /(killed|forced open) by ann: drill, as this worker last saw it; nothing was sent/,
    );
    expect(await worker.cancel()).toMatchObject(DONE);
    // What the guard alone keeps from happening twice does not leave at all.
    expect(await worker.place()).toMatchObject({ failure: { type: 'STORE_DOWN' } });
  });

  it('an opening that was seen holds until its time is over', async () => {
    const worker = aWorker();
    for (let i = 0; i < 2; i += 1) await worker.publish(true);
    await worker.runtime.breakerWatch.refresh('paper');
    proxy.close();
    expect((await worker.publish()).failure?.message).toMatch(/2 of 2 calls failed, as this worker last saw it/);
  });

  it('what turned by an end that Redis took only when it was back is told then', async () => {
    const worker = aWorker();
    await worker.place(unwell);
    await worker.place(() => {
      proxy.close();
      return unwell();
    });
    expect(worker.turns).toEqual([]);
    await backAgain();
    while ((await worker.runtime.outbox.flush()) > 0) await sleep(20);
    expect(worker.turns).toMatchObject([{ scope: 'paper/order.place', from: 'CLOSED', to: 'OPEN' }]);
  });

  it('what failed just as Redis went away holds this process too, before Redis has heard of it', async () => {
    const worker = aWorker();
    await worker.place(unwell);
    await worker.place(() => {
      proxy.close();
      return unwell();
    });
    const held = await worker.place();
    expect(held).toMatchObject(HELD);
    expect(held.failure?.message).toMatch(/this worker alone holds back: 2 of 2 calls failed/);
  });

  it('enough failures of this process hold it, a cancel is only counted', async () => {
    const worker = aWorker();
    await worker.open();
    proxy.close();
    expect(await worker.publish()).toMatchObject(DONE);
    await worker.publish(true);
    const held = await worker.publish();
    expect(held).toMatchObject(HELD);
    expect(held.failure?.message).toMatch(/this worker alone holds back: 1 of 2 calls failed/);
    const failing = () => worker.attempt({ jobType: 'order.cancel', input: CANCEL, act: unwell });
    for (let i = 0; i < 3; i += 1) await failing();
    expect(worker.runtime.locals.of({ venue: 'paper', jobType: 'order.cancel' })?.perSecond).toBe(0);
    expect(await worker.cancel()).toMatchObject(DONE);
    worker.clock.ms = OPEN_MS;
    expect(await worker.publish()).toMatchObject(DONE);
    expect(await worker.publish()).toMatchObject(DONE);
  });
});

describe('what people ordered', () => {
  it('holds on when Redis has lost it, and its loss is told', async () => {
    const worker = aWorker();
    await worker.open();
    await order(worker, 'order.place', { kill: true, killedBy: 'ann', killReason: 'drill' });
    await worker.runtime.breakerWatch.refresh('paper');
    await server.admin.del(...(await server.admin.keys(`${namespace}:{paper}:override:*`)));
    // Nobody knows yet: the next question tells.
    await worker.runtime.breakerWatch.refresh('paper');
    expect(worker.lost).toEqual(['paper/order.place']);
    expect((await worker.place()).failure?.message).toMatch(/killed by ann: drill, as this worker last saw it/);
    await order(worker, 'order.place', { number: 2 });
    await worker.runtime.breakerWatch.refresh('paper');
    expect(await worker.place()).toMatchObject(DONE);
  });

  it('lets acts pass that a breaker would hold: they are counted', async () => {
    const worker = aWorker();
    for (let i = 0; i < 2; i += 1) await worker.place(unwell);
    expect(await worker.place()).toMatchObject(HELD);
    await order(worker, 'order.place', { force: 'closed', actor: 'ann', reason: 'it is well' });
    expect(await worker.place()).toMatchObject(DONE);
    expect(await worker.metrics.wouldBlock.get()).toMatchObject({
      values: expect.arrayContaining([{ labels: { job_type: 'order.place' }, value: 1 }]),
    });
  });
});
