import fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { Clock } from '../support/memory-redis';
import type { BreakerModelSettings } from './breaker-model';
import { BREAKER_ROWS } from './breaker-rows';
import { LEVEL_ROWS } from './levels-model';
import { GUARD_ROWS, STORE_ROWS } from './guard-rows';
import { UnclearError } from './intent-steps';
import { Lockstep } from './lockstep';
import { breakerOp, lookOp, orderOp } from './breaker-ops';
import { guardOp, storeOp } from './record-ops';
import type { Op } from './ops';
import { ORDER_ROWS } from './orders-model';

// The same histories each time, so that the table of rows is too; SEED=… tries others.
export const SEED = Number(process.env['SEED'] ?? 20181);

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
  rampMs: 2_000,
};
/** A venue trips after its job type, so that both are seen alone and together. One act or two a second come back. */
const breaker = (mode: BreakerModelSettings['mode'], run: number) => {
  const place = { ...narrow, places: run % 2 === 0 ? 3 : 60, mode };
  return { venue: { ...place, minimumCalls: 5, failuresInRow: 6 }, 'order.place': place, 'look-up': place };
};

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

const manyIntents = { intents: 6, settings: { ...settings, mostSends: 1_000, mostLooks: 1_000 } };
const ROWS = [...GUARD_ROWS, ...STORE_ROWS, ...BREAKER_ROWS, ...LEVEL_ROWS, ...ORDER_ROWS];
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
      ...(run % 3 === 0 ? {} : { breaker: breaker('enforce', run) }),
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
    options: (run: number) => ({ ...manyIntents, breaker: breaker(run % 5 === 0 ? 'observe' : 'enforce', run) }),
  },
  /** The same, with people and the venue who say what may pass, and a Redis that hears of it late, again or not at all. */
  orders: {
    ops: orderOp,
    length: 60,
    before: [OPENED],
    options: (run: number) => ({ ...manyIntents, breaker: breaker(run % 3 === 0 ? 'observe' : 'enforce', run) }),
  },
  /** What the venue shows of many intents in doubt, or does not, beside all that holds acts. */
  looks: {
    ops: lookOp,
    length: 60,
    before: [OPENED],
    options: (run: number) => ({ ...manyIntents, breaker: breaker(run % 5 === 0 ? 'observe' : 'enforce', run) }),
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
    try {
      for (const step of [...before, ...steps]) await lockstep.step(step);
    } catch (error) {
      if (!(error instanceof UnclearError)) throw error;
    }
    tally.transitions += lockstep.steps;
  });
}
