import fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { Clock } from '../support/memory-redis';
import { BREAKER_ROWS, type BreakerModelSettings } from './breaker-model';
import { LEVEL_ROWS } from './levels-model';
import { GUARD_ROWS, STORE_ROWS } from './guard-rows';
import { Lockstep } from './lockstep';
import type { Op } from './ops';

// The same histories each time, so that the table of rows is too; SEED=… tries others.
export const SEED = Number(process.env['SEED'] ?? 20181);

const small = (max: number) => fc.nat({ max });
/** Mostly the same payload, at times another one, at times one that another version of the fingerprint was made of. */
const print = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small(2) });
/** Mostly what was given last. */
const back = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small(6) });
const attempt = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
);

/** Mostly what lets the record live on: found, rejected and a person's turn end its story. */
const verdict = fc.oneof(
  { weight: 9, arbitrary: fc.constant('absent' as const) },
  { weight: 2, arbitrary: fc.constant('inconclusive' as const) },
  { weight: 3, arbitrary: fc.constantFrom('found' as const, 'rejected' as const, 'repeatable' as const) },
  { weight: 2, arbitrary: fc.constant('manual' as const) },
);

const admit: fc.Arbitrary<Op> = fc.record({
  op: fc.constant('admit' as const),
  intent: small(1),
  owner: small(4),
  attempt,
  nonce: small(1),
  print,
  knownUnsent: fc.boolean(),
});
const settle = (failing: number): fc.Arbitrary<Op> =>
  fc.record({
    op: fc.constant('settle' as const),
    go: back,
    ending: fc.constantFrom('done', 'reject', 'release', 'doubt', 'doubt', 'doubt', 'doubt'),
    health: fc.oneof(
      { weight: failing, arbitrary: fc.constant('fail' as const) },
      { weight: 3, arbitrary: fc.constant('ok' as const) },
      { weight: 1, arbitrary: fc.constant('none' as const) },
    ),
  });
const guardOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: admit },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('resend' as const), intent: small(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('retry' as const), intent: small(1), knownUnsent: fc.boolean() }),
  },
  { weight: 5, arbitrary: settle(1) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('lookBegin' as const),
      intent: small(1),
      looker: small(1),
      givenUp: fc.integer({ min: -1, max: 1 }),
      print,
      ends: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('lookEnd' as const),
      look: back,
      verdict: verdict,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('resolve' as const),
      intent: small(1),
      decision: fc.constantFrom('done', 'absent', 'absent', 'rejected'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('expire' as const, 'expire' as const, 'lose' as const),
      intent: small(1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('absence' as const), intent: small(1) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('look' as const), intent: small(1), verdict }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('pass' as const), ticks: fc.integer({ min: 1, max: 3 }) }) },
);

/** As above, on a Redis that loses its data and goes back in time. */
const storeOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 30, arbitrary: guardOp },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Op>(
      { op: 'save' },
      { op: 'save' },
      { op: 'rollBack' },
      { op: 'rollBack' },
      { op: 'flush' },
      { op: 'trust' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('open' as const), worker: small(1), neverUsed: fc.boolean() }),
  },
);

/** Many fresh intents, each asked for and ended at once or later: what matters here is the breaker. */
const breakerOp: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('admit' as const),
      intent: small(5),
      owner: fc.constant(0),
      attempt: fc.constant(1),
      nonce: fc.constant(0),
      print: fc.constant(0),
      knownUnsent: fc.constant(false),
      canProbe: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('settle' as const),
      go: back,
      ending: fc.constant('release' as const),
      health: fc.constantFrom('fail', 'fail', 'ok', 'ok', 'ok', 'none'),
      slow: fc.constantFrom(false, false, false, true),
      worker: fc.constantFrom(0, 0, 0, 1, 30),
      hold: fc.constantFrom('', '', '', '', '', '', '', '', '', 'venue', 'order.place'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('probed' as const), probe: back, isWell: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('order' as const),
      level: fc.constantFrom('all', 'venue', 'order.place'),
      kill: fc.constantFrom(false, false, false, true),
      force: fc.constantFrom('', '', 'open', 'closed', 'closed'),
      ticks: fc.constantFrom(1.5, 2.5),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Op>(
      { op: 'exempt' },
      { op: 'storm' },
      { op: 'calm' },
      { op: 'relapse' },
      { op: 'late' },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('pass' as const), ticks: fc.constantFrom(1, 1, 2, 2, 3, 4, 9) }),
  },
);

// Half ticks, so that no deadline falls on a moment that a test can reach.
const settings = { leaseTicks: 3.5, quiesceTicks: 2.5, lookLeaseTicks: 1.5, gapTicks: 1.5, agreeing: 2, mostLooks: 4 };
const narrow = {
  windowTicks: 10,
  minimumCalls: 3,
  failureRatio: 0.5,
  slowRatio: 0.6,
  failuresInRow: 4,
  quorum: 2,
  openTicks: 1.4,
  maximumOpenTicks: 3.3,
  permits: 2,
  permitTicks: 2.5,
  successesToClose: 2,
  rampTicks: 1.5,
  places: 3,
};
/** A venue trips after its job type, so that both are seen alone and together. */
const breaker = (mode: BreakerModelSettings['mode']) => ({
  venue: { ...narrow, minimumCalls: 5, failuresInRow: 6, mode },
  'order.place': { ...narrow, mode },
});

/** What the runs of a suite came to. */
export class Tally {
  runs = 0;
  transitions = 0;
  private readonly hits = new Set<string>();

  hit = (row: string): void => void this.hits.add(row);

  /** Rows of the tables that no run took. */
  get missed(): string[] {
    return ROWS.filter((row) => !this.hits.has(row));
  }

  toString(): string {
    const taken = ROWS.length - this.missed.length;
    return `${this.runs} runs, ${this.transitions} transitions, ${taken} of ${ROWS.length} rows of the tables\n`;
  }
}

/** A Redis without keys for one run, and its clock where the test holds it. */
export type FreshRedis = () => Promise<{ redis: Redis; clock?: Clock }>;

const ROWS = [...GUARD_ROWS, ...STORE_ROWS, ...BREAKER_ROWS, ...LEVEL_ROWS];
const OPENED: Op = { op: 'open', worker: 0, neverUsed: true };

/** What happens in a run, how much of it, and to what. */
const KINDS = {
  /** Workers, look-ups, people, losses and time, to the records of two intents. */
  records: {
    ops: guardOp,
    length: 60,
    before: [OPENED],
    options: (run: number) => ({
      intents: 2,
      settings: { ...settings, mostSends: 1 + (run % 2) },
      // Every third run without a breaker, as a job type may be.
      ...(run % 3 === 0 ? {} : { breaker: breaker('enforce') }),
    }),
  },
  /** The same, on a Redis that loses its data and goes back in time. */
  store: {
    ops: storeOp,
    length: 60,
    before: [],
    options: (run: number) => ({ intents: 2, settings: { ...settings, mostSends: 1 + (run % 3) } }),
  },
  /** Outcomes, probes, dead probers and time, to the breaker of many intents. */
  breaker: {
    ops: breakerOp,
    length: 80,
    before: [OPENED],
    options: (run: number) => ({
      intents: 6,
      settings: { ...settings, mostSends: 1_000 },
      breaker: breaker(run % 3 === 0 ? 'observe' : 'enforce'),
    }),
  },
};
export type Kind = keyof typeof KINDS;

/** Whatever happens, the scripts keep the tables. */
export function keepsTheTables(kind: Kind, fresh: FreshRedis, tally: Tally): fc.IAsyncPropertyWithHooks<[Op[]]> {
  const { ops, length, before, options } = KINDS[kind];
  const histories = fc.noBias(fc.array(ops, { minLength: 1, maxLength: length, size: 'max' }));
  return fc.asyncProperty(histories, async (steps) => {
    tally.runs += 1;
    const { redis, clock } = await fresh();
    const lockstep = new Lockstep(redis, { ...options(tally.runs), namespace: 'test', clock, hit: tally.hit });
    for (const step of [...before, ...steps]) await lockstep.step(step);
    tally.transitions += lockstep.steps;
  });
}
