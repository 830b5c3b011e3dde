import fc from 'fast-check';
import { adopt, type Adoption } from '../../../../src/breaker/control/adoption';
import { firstBrokenRow, type AuditRow } from '../../../../src/breaker/control/audit';
import { snapshotOf } from '../../../../src/breaker/control/page';
import { ACTIONS, type OverrideRequest } from '../../../../src/breaker/control/request';
import {
  expire,
  happened,
  isResent,
  leftMs,
  newState,
  order,
  ordersOf,
  refuse,
  standsAlready,
  turned,
  type ControlState,
} from '../../../../src/breaker/control/state';
import { NO_OVERRIDE } from '../../../../src/breaker/override';

const START = Date.parse('2026-01-05T09:00:00.000Z');
const byHand = (action: OverrideRequest['action'], forSeconds?: number): OverrideRequest => ({
  ...{ action, reason: 'a drill', actor: 'ann' },
  ...(forSeconds === undefined ? {} : { forSeconds }),
});

/** As one run of the workflow hands it to the next. */
const carried = (state: ControlState): ControlState => JSON.parse(JSON.stringify(state)) as ControlState;

/** Redis as far as a control workflow sees it: what `override.lua` keeps of its orders. */
class Projected {
  number = 0;
  rows: AuditRow[] = [];
  private held: ReturnType<typeof ordersOf> | undefined;
  private until = 0;

  write(state: ControlState, nowMs: number): boolean {
    const orders = ordersOf(state, nowMs);
    if (orders.number < this.number) return false;
    for (const { number, text } of orders.rows) if (number > this.number) this.rows.push(JSON.parse(text) as AuditRow);
    if (orders.number > this.number)
      [this.held, this.until, this.number] = [orders, nowMs + orders.forMs, orders.number];
    [state.projected, state.isLost] = [orders.number, false];
    return true;
  }

  read(nowMs: number): Adoption {
    const { held, rows, number, until } = this;
    const override = { ...NO_OVERRIDE, ...held, number, until };
    return { override, leftMs: Math.max(until - nowMs, 0), rows };
  }
}

type Step = { action: OverrideRequest['action']; seconds: number } | { passMs: number } | 'carry' | 'write' | 'gone';
const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ action: fc.constantFrom(...ACTIONS), seconds: fc.integer({ min: 1, max: 100 }) }),
    },
    { weight: 3, arbitrary: fc.record({ passMs: fc.integer({ min: 0, max: 90_000 }) }) },
    { weight: 2, arbitrary: fc.constantFrom('carry', 'write') },
    { weight: 1, arbitrary: fc.constant('gone') },
  ),
  { maxLength: 120 },
);

describe('what is ordered of a scope', () => {
  it('is the kill, else what is forced and has not ended, over any orders, times, runs and ends of its workflow', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        let state = newState('paper');
        state.isAdopted = true;
        const redis = new Projected();
        let nowMs = START;
        // The model: two slots, and what Redis was told last.
        let model = { kill: false, force: undefined as { action: string; until: number } | undefined, orders: 0 };
        let written = model;
        for (const step of steps) {
          if (step === 'carry') {
            const before = structuredClone(state);
            state = carried(state);
            expect(state).toEqual(before);
          } else if (step === 'write') {
            expect(redis.write(state, nowMs)).toBe(true);
            written = model;
          } else if (step === 'gone') {
            // Terminated and started anew: what Redis did not hold is lost with it.
            state = newState('paper');
            adopt(state, redis.read(nowMs), nowMs);
            model = written;
          } else if ('passMs' in step) {
            nowMs += step.passMs;
          } else {
            const { action, seconds } = step;
            const isForced = action === 'open' || action === 'close';
            order(state, byHand(action, isForced ? seconds : undefined), nowMs);
            model = {
              kill: action === 'kill' || (model.kill && action !== 'unkill'),
              force: isForced
                ? { action, until: nowMs + seconds * 1_000 }
                : action === 'auto'
                  ? undefined
                  : model.force,
              orders: model.orders + 1,
            };
          }
          expire(state, nowMs);
          const force = model.force && model.force.until > nowMs ? model.force : undefined;
          const forced = force && (force.action === 'open' ? 'FORCED_OPEN' : 'FORCED_CLOSED');
          expect(snapshotOf(state)).toMatchObject({
            standing: model.kill ? 'KILLED' : (forced ?? 'AUTOMATIC'),
            number: model.orders,
          });
          expect(leftMs(state, nowMs)).toBe(force && force.until - nowMs);
          expect(state.rows.length).toBeLessThanOrEqual(Math.max(50, state.number - state.projected));
          expect(state.events.length).toBeLessThanOrEqual(40);
        }
        redis.write(state, nowMs);
        expect(redis.rows.map(({ number }) => number)).toEqual(Array.from({ length: model.orders }, (_, i) => i + 1));
        expect(firstBrokenRow(redis.rows, { ...state, projected: state.number })).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('ends by itself once, and says what comes next', () => {
    const state = newState('paper');
    order(state, byHand('open', 60), START);
    expect(expire(state, START + 59_999)).toBe(false);
    expect(expire(state, START + 60_000)).toBe(true);
    expect(expire(state, START + 60_001)).toBe(false);
    expect(state.events.at(-1)).toEqual({
      at: '2026-01-05T09:01:00.000Z',
      what: 'what ann ordered (open) has ended: the venue is tried again',
    });
  });

  it('tells Redis for how long it still holds, counted from now', () => {
    const state = newState('paper');
    order(state, byHand('close', 60), START);
    expect(ordersOf(state, START + 20_000)).toMatchObject({
      force: 'closed',
      forMs: 40_000,
      actor: 'ann',
      kill: false,
    });
    expect(ordersOf(state, START + 90_000)).toMatchObject({ forMs: 0 });
  });

  it('tells Redis when it was ordered, whenever that is written', () => {
    const state = newState('paper');
    expect(ordersOf(state, START)).toMatchObject({ forcedAt: 0, killedAt: 0 });
    order(state, byHand('open', 60), START);
    order(state, byHand('kill'), START + 5_000);
    expect(ordersOf(state, START + 20_000)).toMatchObject({ forcedAt: START, killedAt: START + 5_000 });
    order(state, byHand('unkill'), START + 30_000);
    expect(ordersOf(state, START + 30_000)).toMatchObject({ forcedAt: START, killedAt: 0 });
  });

  it('goes to Redis with the rows that it has not taken, and with all that are known where it may have lost some', () => {
    const state = newState('paper');
    for (let i = 0; i < 5; i++) order(state, byHand('auto'), START);
    state.projected = 3;
    const numbers = () => ordersOf(state, START).rows.map(({ number }) => number);
    expect(numbers()).toEqual([4, 5]);
    state.isLost = true;
    expect(numbers()).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps every row that Redis has not taken, up to what one payload may hold', () => {
    const state = newState('paper');
    for (let i = 0; i < 300; i++) order(state, byHand('auto'), START);
    expect(ordersOf(state, START).rows).toHaveLength(300);
    for (let i = 0; i < 300; i++) order(state, byHand('auto'), START);
    expect(state.rows).toHaveLength(500);
    state.projected = 600;
    order(state, byHand('auto'), START);
    expect(state.rows.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, i) => 552 + i));
  });

  it('stays small enough for one payload, whatever people, venues and strangers say', () => {
    const state = newState('paper');
    const long = 'ж'.repeat(500);
    for (let i = 0; i < 100; i++) {
      order(state, { action: 'kill', reason: long, actor: long.slice(0, 100), ticket: long.slice(0, 100) }, START);
      state.projected = state.number;
      turned(state, { from: 'x'.repeat(1e5), to: 'y'.repeat(1e5), why: 'z'.repeat(1e5) }, START);
      refuse(state, 'r'.repeat(1e5), START);
      happened(state, START, 'w'.repeat(1e5));
      isResent(state, `update-${i}`, START);
    }
    expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(300_000);
  });
});

describe('a kill that is told again', () => {
  const kill = { action: 'kill', reason: 'a drill', actor: 'ann', ticket: 'OPS-1' } as const;
  const after = (...requests: OverrideRequest[]): ControlState => {
    const state = newState('paper');
    for (const each of requests) order(state, each, START);
    return state;
  };

  it('word for word is the same one while it stands, whoever killed for another reason meanwhile', () => {
    expect(standsAlready(after(), kill)).toBe(false);
    expect(standsAlready(after(kill), kill)).toBe(true);
    expect(standsAlready(after(kill, { ...kill, actor: 'bob' }, byHand('open', 60)), kill)).toBe(true);
    expect(standsAlready(after(kill, byHand('unkill')), kill)).toBe(false);
    expect(standsAlready(after(kill, byHand('unkill'), { ...kill, actor: 'bob' }), kill)).toBe(false);
  });

  it.each([{ reason: 'another' }, { actor: 'bob' }, { ticket: 'OPS-2' }, { ticket: undefined }])(
    'in other words is another one: %j',
    (other) => {
      expect(standsAlready(after(kill), { ...kill, ...other } as OverrideRequest)).toBe(false);
    },
  );

  it('is not taken for another order of the same words', () => {
    expect(standsAlready(after(kill), { ...kill, action: 'unkill' })).toBe(false);
  });
});

describe('an update that its client sends again', () => {
  it('is known, by the next run of the workflow too, but not for ever', () => {
    let state = newState('paper');
    expect(isResent(state, 'a', START)).toBe(false);
    state = carried(state);
    expect(isResent(state, 'a', START + 60_000)).toBe(true);
    expect(isResent(state, 'b', START + 60_000)).toBe(false);
    expect(isResent(state, 'a', START + 600_000)).toBe(false);
  });
});

describe('a turn of the automatic breaker', () => {
  it('is kept with its time and its reason', () => {
    const state = newState('paper');
    turned(state, { from: 'CLOSED', to: 'OPEN', why: '5 of 8 calls failed' }, START);
    expect(state.automatic).toEqual({ state: 'OPEN', since: '2026-01-05T09:00:00.000Z', why: '5 of 8 calls failed' });
    expect(state.events.at(-1)?.what).toBe('breaker CLOSED → OPEN: 5 of 8 calls failed');
  });

  it('stands among the others by the time of Redis, whichever worker told of it first', () => {
    const turns = [
      { from: 'CLOSED', to: 'OPEN', why: 'a', at: START + 1_000 },
      { from: 'OPEN', to: 'HALF_OPEN', why: 'b', at: START + 2_000 },
      { from: 'HALF_OPEN', to: 'RAMP', why: 'c', at: START + 3_000 },
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(turns, { minLength: 3 }), (told) => {
        const state = newState('paper');
        told.forEach((turn, i) => turned(state, turn, START + 9_000 + i));
        expect(state.events.map(({ what }) => what.slice(-1)).join('')).toBe('abc');
        expect(state.events.map(({ at }) => Date.parse(at))).toEqual(turns.map(({ at }) => at));
        expect(state.automatic).toEqual({ state: 'RAMP', since: new Date(START + 3_000).toISOString(), why: 'c' });
      }),
    );
  });

  it('stands where it was told among orders, whose clock is another one', () => {
    const state = newState('paper');
    turned(state, { from: 'CLOSED', to: 'OPEN', why: 'a', at: START + 50_000 }, START);
    order(state, byHand('kill'), START + 1_000);
    turned(state, { from: 'OPEN', to: 'HALF_OPEN', why: 'b', at: START + 51_000 }, START + 2_000);
    turned(state, { from: 'RAMP', to: 'CLOSED', why: 'c', at: START - 1 }, START + 3_000);
    expect(state.events.map(({ what }) => what.slice(-1))).toEqual(['c', 'a', 'l', 'b']);
    expect(state.automatic).toMatchObject({ state: 'HALF_OPEN' });
  });

  it('of a worker that tells no time comes last', () => {
    const state = newState('paper');
    turned(state, { from: 'CLOSED', to: 'OPEN', why: 'a', at: START + 50_000 }, START);
    turned(state, { from: 'OPEN', to: 'HALF_OPEN', why: 'b' }, START);
    expect(state.automatic).toEqual({ state: 'HALF_OPEN', since: new Date(START).toISOString(), why: 'b' });
  });

  it.each([[undefined], [null], [5], ['open'], [{}], [{ from: 1, to: {}, why: [] }], [{ at: 1e300 }], [{ at: NaN }]])(
    'that is none harms nothing: %j',
    (turn) => {
      const state = newState('paper');
      turned(state, turn, START);
      expect(state.automatic).toMatchObject({ state: '?', why: '?' });
    },
  );
});
