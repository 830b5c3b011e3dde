import type { LevelOrders } from '../../src/breaker/breakers';
import { NO_OVERRIDE } from '../../src/breaker/override';
import { standing } from '../../src/breaker/snapshot';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';

const QUIESCE_MS = 18_000;

/** The `number`-th order of one level, with the rows of all until then. */
const order = (number: number, over: Partial<LevelOrders> = {}): LevelOrders => ({
  ...NO_OVERRIDE,
  number,
  ...{ actor: 'ada', reason: 'maintenance', killedBy: 'ada', killReason: 'runaway strategy', forMs: 60_000 },
  rows: Array.from({ length: number }, (_, i) => ({ number: i + 1, text: `order ${i + 1}` })),
  ...over,
});

describeOnEachRedis('what people order of a breaker', (version) => {
  let server: TestRedis;
  let namespace: string;
  let guard: Guard;

  beforeAll(async () => {
    server = await startTestRedis({ version });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    namespace = server.namespace();
    guard = new Guard(await server.connect(), { namespace, ttlMs: 100_000 });
    await guard.store.open('paper', { quiesceMs: QUIESCE_MS, neverUsed: true });
  });
  afterEach(() => server.admin.config('SET', 'maxmemory', '0'));

  const audited = async (): Promise<string[]> => {
    const rows = await server.admin.xrange(guardKeys(namespace).audit('paper'), '-', '+');
    return rows.map(([, fields]) => fields.join(' '));
  };
  const level = async (name = 'order.place') => {
    const found = (await guard.breakers.read('paper', [name])).at(-1)!;
    return standing(found.breaker, found.override, await guard.now());
  };
  const place = (intentId: string) => guard.admit(placing(intentId), admitRequest());

  it('holds from the moment that it is answered, says who and why, and leaves one row in the audit, told twice or late', async () => {
    const before = await guard.now();
    const ordered = await guard.breakers.order('paper', 'order.place', order(1, { force: 'open' }));
    const at = ordered.kind === 'OK' ? ordered.turns[0]?.at : undefined;
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(await guard.now());
    expect(ordered).toMatchObject({
      kind: 'OK',
      turns: [{ level: 'order.place', from: 'CLOSED', to: 'OPEN', why: 'forced open by ada: maintenance' }],
    });
    const held = await place('a');
    expect(held).toMatchObject({ kind: 'OPEN', level: 'order.place', why: 'forced open by ada: maintenance' });
    expect(held.kind === 'OPEN' && held.waitMs).toBeGreaterThan(50_000);
    expect(await guard.breakers.order('paper', 'order.place', order(1, { force: 'open' }))).toEqual({
      ...{ kind: 'OK', turns: [] },
    });

    await guard.breakers.order('paper', 'order.place', order(4, { kill: true }));
    expect(await guard.breakers.order('paper', 'order.place', order(3))).toEqual({ kind: 'STALE', number: 4 });
    expect(await level()).toMatchObject({ standing: 'KILLED', why: 'ada: runaway strategy' });
    expect(await place('a')).toMatchObject({ kind: 'OPEN', why: 'killed by ada: runaway strategy' });
    expect(await audited()).toEqual([1, 2, 3, 4].map((n) => `what override number ${n} row order ${n}`));
  });

  it('of several workers that tell different ones at once the last order counts, and each has one row', async () => {
    const workers = await Promise.all(
      Array.from({ length: 5 }, async () => new Guard(await server.connect(), { namespace, ttlMs: 100_000 })),
    );
    const told = workers.flatMap(({ breakers }, i) =>
      [3, 1, 5, 2, 4, 5].map((number) =>
        breakers.order('paper', 'venue', order(number, { force: number === 5 ? 'open' : 'closed', reason: `${i}` })),
      ),
    );
    await Promise.all(told);
    expect(await level('venue')).toMatchObject({ standing: 'FORCED_OPEN' });
    expect(await audited()).toEqual([1, 2, 3, 4, 5].map((n) => `what override number ${n} row order ${n}`));
  });

  it('is not taken for another one of its number, which Temporal has lost', async () => {
    await guard.breakers.order('paper', 'order.place', order(1, { hash: 'a' }));
    expect(await guard.breakers.order('paper', 'order.place', order(1, { hash: 'a' }))).toMatchObject({ kind: 'OK' });
    const kill = { kill: true, hash: 'b' };
    expect(await guard.breakers.order('paper', 'order.place', order(1, kill))).toEqual({ kind: 'STALE', number: 1 });
    expect(await guard.breakers.order('paper', 'order.place', order(2, kill))).toMatchObject({ kind: 'OK' });
    expect(await place('a')).toMatchObject({ kind: 'OPEN', why: 'killed by ada: runaway strategy' });
  });

  it('a kill of everything holds what adds risk at every job type, and lets pass what lowers it', async () => {
    await guard.breakers.order('paper', 'all', order(1, { kill: true }));
    expect(await place('a')).toMatchObject({ kind: 'OPEN', level: 'all', why: 'killed by ada: runaway strategy' });
    const lowers = admitRequest();
    lowers.breaker!.held = false;
    expect(await guard.admit({ ...placing('c'), jobType: 'order.cancel' }, lowers)).toMatchObject({ kind: 'GO' });
    await guard.breakers.order('paper', 'all', order(2));
    expect(await place('b')).toMatchObject({ kind: 'GO' });
  });

  it('a forced open that is lifted goes on to probing, one act at a time, and not to closed', async () => {
    await guard.breakers.order('paper', 'order.place', order(1, { force: 'open' }));
    await guard.breakers.order('paper', 'order.place', order(2));
    expect(await level()).toMatchObject({ standing: 'OPEN' });
    const kinds = [];
    for (const intent of ['a', 'b', 'c', 'd', 'e']) kinds.push((await place(intent)).kind);
    expect(kinds).toEqual(['GO', 'GO', 'GO', 'OPEN', 'OPEN']);
    expect(await level()).toMatchObject({ standing: 'HALF_OPEN' });
  });

  it('tells when it was forced and when it was killed, by the clock of who took the order', async () => {
    const overrideOf = async () => (await guard.breakers.read('paper', ['order.place'])).at(-1)!.override;
    const times = { forcedAt: 1_767_603_600_000, killedAt: 1_767_603_605_000 };
    const ordered = order(1, { kill: true, force: 'open', ticket: 'OPS-1', ...times });
    await guard.breakers.order('paper', 'order.place', ordered);
    expect(await overrideOf()).toMatchObject({ ...times, ticket: 'OPS-1', killReason: 'runaway strategy' });
    expect(await audited()).toEqual(['what override number 1 row order 1']);
    // As a control workflow tells that an older version runs, and as an older worker writes.
    const { forcedAt: _forced, killedAt: _killed, ...older } = order(2, { kill: true });
    await guard.breakers.order('paper', 'order.place', older as LevelOrders);
    expect(await overrideOf()).toMatchObject({ kill: true, forcedAt: 0, killedAt: 0 });
    const key = guardKeys(namespace).override('paper', 'order.place');
    await server.admin.set(key, (await server.admin.get(key))!.split('\n').slice(0, 10).join('\n'));
    expect(await overrideOf()).toMatchObject({ kill: true, killReason: 'runaway strategy', forcedAt: 0, killedAt: 0 });
    expect(await place('a')).toMatchObject({ kind: 'OPEN', why: 'killed by ada: runaway strategy' });
  });

  it('reaches a Redis that is full: a kill must not wait for memory', async () => {
    const fence = fenceOf(await place('under-way'));
    for (let i = 0; i < 50; i += 1) await server.admin.set(`filler:${i}`, 'x'.repeat(10_000));
    await server.admin.config('SET', 'maxmemory', '100000');
    await expect(place('new')).rejects.toThrow('OOM');

    const long = { actor: 'a'.repeat(200), reason: 'r'.repeat(2_000) };
    expect(
      await guard.breakers.order('paper', 'order.place', order(3, { kill: true, force: 'open', ...long })),
    ).toMatchObject({ kind: 'OK' });
    expect(await guard.breakers.order('paper', 'all', order(2, { kill: true }))).toMatchObject({ kind: 'OK' });
    expect(await level()).toMatchObject({ standing: 'KILLED' });
    expect(await audited()).toHaveLength(5);
    expect(await guard.settle(placing('under-way'), settleRequest({ fence }))).toMatchObject({ kind: 'OK' });
  });

  it('is not understood as none by a worker that is too old to read it', async () => {
    await place('first');
    await server.admin.set(guardKeys(namespace).override('paper', 'venue'), '2\n1\n1');
    await expect(place('a')).rejects.toThrow('override version 2 is newer than this worker');
  });
});
