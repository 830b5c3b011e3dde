import { adopt, type Adoption } from '../../../../src/breaker/control/adoption';
import { firstBrokenRow } from '../../../../src/breaker/control/audit';
import { hear, parseRemembered, recall } from '../../../../src/breaker/control/memory';
import { snapshotOf } from '../../../../src/breaker/control/page';
import { newState, order, ordersOf, type ControlState } from '../../../../src/breaker/control/state';
import { NO_OVERRIDE } from '../../../../src/breaker/override';

const NOW = Date.parse('2026-01-05T09:00:00.000Z');
const SEEN = { number: 5, kill: true, killedBy: 'ann', killReason: 'flood' };
const EMPTY: Adoption = { override: NO_OVERRIDE, leftMs: 0, rows: [] };
const byHand = (action: 'kill' | 'unkill', actor = 'bob') => ({ action, actor, reason: 'by hand' });

/** A control workflow that knows nothing but what it is told, once it has asked Redis. */
function told(state: ControlState, seen: unknown, redis = EMPTY): ControlState {
  hear(state, parseRemembered(seen));
  adopt(state, redis, NOW);
  recall(state, NOW);
  return state;
}
/** A control workflow whose orders Redis has. */
function known(...actions: ('kill' | 'unkill')[]): ControlState {
  const state = told(newState('paper'), undefined);
  for (const action of actions) order(state, byHand(action), NOW);
  state.projected = state.number;
  return state;
}

describe('a kill that a worker alone remembers', () => {
  it('is taken as an order that says where it comes from, numbered above all that the worker has seen', () => {
    const state = told(newState('paper'), SEEN);
    expect(snapshotOf(state)).toMatchObject({ standing: 'KILLED', number: 6, inEffect: false });
    expect(state.rows).toMatchObject([
      {
        number: 6,
        action: 'kill',
        actor: 'ann',
        reason: 'remembered by a worker, lost in Temporal and in Redis: flood',
      },
    ]);
    expect(ordersOf(state, NOW).rows).toHaveLength(1);
    order(state, byHand('unkill'), NOW);
    expect(snapshotOf(state)).toMatchObject({ standing: 'AUTOMATIC', number: 7 });
    expect(firstBrokenRow(state.rows, { rows: state.rows, number: 7, projected: 7 })).toBeUndefined();
  });

  it('is taken once, however many workers remember it, and again where one has seen later orders', () => {
    const state = told(told(newState('paper'), SEEN), SEEN);
    expect(state.rows).toHaveLength(1);
    order(state, byHand('unkill'), NOW);
    expect(told(state, { ...SEEN, number: 7 })).toMatchObject({ kill: null, number: 7 });
    expect(told(state, { ...SEEN, number: 8 })).toMatchObject({ kill: { actor: 'ann' }, number: 9 });
  });

  it('is no news where Redis holds it', () => {
    const override = { ...NO_OVERRIDE, ...SEEN };
    const state = told(newState('paper'), SEEN, { override, leftMs: 0, rows: [] });
    expect(state).toMatchObject({ number: 5, kill: { actor: 'ann', reason: 'flood' }, rows: [], told: null });
  });

  it('adds none to a kill that was ordered since, whose end all hear of', () => {
    const state = told(known('kill'), SEEN);
    expect(state).toMatchObject({ number: 1, kill: { actor: 'bob' } });
    order(state, byHand('unkill'), NOW);
    expect(state).toMatchObject({ number: 6, kill: null });
    expect(firstBrokenRow(state.rows)).toBeUndefined();
  });

  it('outlives an unkill that was ordered without knowing of it', () => {
    expect(told(known('unkill'), SEEN)).toMatchObject({ number: 6, kill: { actor: 'ann' } });
  });
});

describe('what a worker tells', () => {
  it('has the next order numbered above it where nothing was killed, and changes nothing else', () => {
    const state = told(known(), { ...SEEN, kill: false });
    expect(snapshotOf(state)).toMatchObject({ standing: 'AUTOMATIC', number: 0, inEffect: true });
    order(state, byHand('kill'), NOW);
    expect(state.number).toBe(6);
  });

  it('is no news where the workflow knows as much: Redis is not asked again', () => {
    const state = known('kill', 'unkill', 'kill', 'unkill', 'unkill');
    hear(state, parseRemembered(SEEN));
    expect(state).toMatchObject({ isAdopted: true, told: null });
  });

  it.each([
    [undefined],
    [null],
    [5],
    ['5'],
    [{ ...SEEN, number: 0 }],
    [{ ...SEEN, number: 1.5 }],
    [{ ...SEEN, number: 1e12 }],
    [{ ...SEEN, number: '5' }],
    [{ ...SEEN, kill: 1 }],
    [{ ...SEEN, killedBy: undefined }],
  ])('harms nothing where it is something else: %j', (raw) => {
    const state = known('kill');
    hear(state, parseRemembered(raw));
    expect(state).toEqual(known('kill'));
  });
});
