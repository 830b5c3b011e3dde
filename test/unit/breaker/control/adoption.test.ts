import { adopt, type Adoption } from '../../../../src/breaker/control/adoption';
import { firstBrokenRow, nextRow, type AuditRow } from '../../../../src/breaker/control/audit';
import { snapshotOf } from '../../../../src/breaker/control/page';
import type { OverrideRequest } from '../../../../src/breaker/control/request';
import { newState, order, ordersOf, type ControlState } from '../../../../src/breaker/control/state';
import { NO_OVERRIDE, type Override } from '../../../../src/breaker/override';

const START = Date.parse('2026-01-05T09:00:00.000Z');
const LATER = START + 3_600_000;
const KILL: OverrideRequest = { action: 'kill', reason: 'flood', actor: 'ann', ticket: 'OPS-1' };
const OPEN: OverrideRequest = { action: 'open', reason: 'slow', actor: 'bob', forSeconds: 7_200 };

function rowsOf(...requests: OverrideRequest[]): AuditRow[] {
  const rows: AuditRow[] = [];
  for (const request of requests)
    rows.push(nextRow('paper', rows.at(-1) ?? { number: 0, hash: '' }, request, new Date(START).toISOString()));
  return rows;
}
const inRedis = (rows: AuditRow[], override: Partial<Override>): Adoption => ({
  override: { ...NO_OVERRIDE, number: rows.length, ...override },
  leftMs: 3_600_000,
  rows,
});
const killed = { kill: true, killedBy: 'ann', killReason: 'flood' };
const forcedOpen = { force: 'open', actor: 'bob', reason: 'slow' } as const;
const waitingRows = (state: ControlState): AuditRow[] =>
  ordersOf(state, LATER).rows.map(({ text }) => JSON.parse(text) as AuditRow);

describe('a control workflow that is new', () => {
  it('begins at nothing where Redis knows of nothing', () => {
    const state = newState('paper');
    adopt(state, { override: NO_OVERRIDE, leftMs: 0, rows: [] }, LATER);
    expect(snapshotOf(state)).toMatchObject({ standing: 'AUTOMATIC', number: 0, inEffect: true, events: [] });
  });

  it('does not say that nothing is ordered before it has asked', () => {
    expect(snapshotOf(newState('paper'))).toMatchObject({
      inEffect: false,
      meaning: expect.stringContaining('not known') as string,
    });
  });

  it('goes on from a kill and from what is forced beneath it, as they were given', () => {
    const state = newState('paper');
    adopt(state, inRedis(rowsOf(OPEN, KILL), { ...killed, ...forcedOpen }), LATER);
    const at = new Date(START).toISOString();
    expect(state).toMatchObject({
      number: 2,
      kill: { actor: 'ann', reason: 'flood', ticket: 'OPS-1', at },
      force: { actor: 'bob', reason: 'slow', action: 'open', at, until: new Date(LATER + 3_600_000).toISOString() },
    });
    expect(snapshotOf(state)).toMatchObject({ standing: 'KILLED' });
    order(state, { action: 'unkill', reason: 'over', actor: 'ann' }, LATER);
    expect(snapshotOf(state)).toMatchObject({ standing: 'FORCED_OPEN', number: 3 });
    expect(firstBrokenRow(state.rows)).toBeUndefined();
  });

  it('knows when that was given though the audit is gone, where Redis tells it', () => {
    const state = newState('paper');
    const times = { killedAt: START + 2_000, forcedAt: START + 1_000 };
    adopt(state, { ...inRedis(rowsOf(OPEN, KILL), { ...killed, ...forcedOpen, ...times }), rows: [] }, LATER);
    expect(state.kill?.at).toBe(new Date(START + 2_000).toISOString());
    expect(state.force?.at).toBe(new Date(START + 1_000).toISOString());
    expect(ordersOf(state, LATER)).toMatchObject(times);
  });

  it('takes over nothing that has ended', () => {
    const state = newState('paper');
    adopt(state, { ...inRedis(rowsOf(OPEN), forcedOpen), leftMs: 0 }, LATER);
    expect(snapshotOf(state)).toMatchObject({ standing: 'AUTOMATIC', number: 1 });
  });

  it('takes orders at once, which follow on those that Redis turns out to hold, each with its own time', () => {
    const state = newState('paper');
    order(state, { ...OPEN, action: 'close' }, LATER);
    order(state, { action: 'unkill', reason: 'over', actor: 'eve' }, LATER + 1_000);
    const before = rowsOf(OPEN, KILL);
    adopt(state, inRedis(before, { ...killed, ...forcedOpen }), LATER + 5_000);
    expect(snapshotOf(state)).toMatchObject({ standing: 'FORCED_CLOSED', number: 4, inEffect: false });
    expect(state.force?.until).toBe(new Date(LATER + 7_200_000).toISOString());
    expect(state.rows.slice(2).map(({ number, action, actor, at }) => ({ number, action, actor, at }))).toEqual([
      { number: 3, action: 'close', actor: 'bob', at: new Date(LATER).toISOString() },
      { number: 4, action: 'unkill', actor: 'eve', at: new Date(LATER + 1_000).toISOString() },
    ]);
    expect(waitingRows(state)).toEqual(state.rows);
    expect(firstBrokenRow(state.rows)).toBeUndefined();
  });

  it('goes on where the audit is gone, which the audit then shows', () => {
    const state = newState('paper');
    adopt(state, { ...inRedis(rowsOf(KILL), killed), rows: [] }, LATER);
    expect(state.kill).toMatchObject({ actor: 'ann', reason: 'flood', at: new Date(LATER).toISOString() });
    order(state, { action: 'unkill', reason: 'over', actor: 'ann' }, LATER);
    expect(state.rows).toMatchObject([{ number: 2, previous: '' }]);
  });
});

describe('a control workflow of which Redis knows more than itself', () => {
  function behind(): ControlState {
    const state = newState('paper');
    state.isAdopted = true;
    order(state, OPEN, START);
    state.projected = 1;
    return state;
  }

  it('takes that over, and its own order that was not written yet follows', () => {
    const state = behind();
    order(state, { action: 'auto', reason: 'well again', actor: 'eve' }, LATER);
    adopt(state, inRedis(rowsOf(OPEN, KILL, KILL), { ...killed, ...forcedOpen }), LATER);
    expect(state.rows.map(({ action }) => action)).toEqual(['open', 'kill', 'kill', 'auto']);
    expect(snapshotOf(state)).toMatchObject({ standing: 'KILLED', number: 4, force: null });
    expect(firstBrokenRow(state.rows)).toBeUndefined();
  });

  it('takes its own order, whose confirmation was lost, for no news', () => {
    const state = behind();
    order(state, KILL, START);
    const before = structuredClone(state);
    adopt(state, inRedis(state.rows, { ...killed, ...forcedOpen }), LATER);
    expect(state).toEqual(before);
  });

  it('keeps to its own where Redis knows less', () => {
    const state = behind();
    adopt(state, { override: NO_OVERRIDE, leftMs: 0, rows: [] }, LATER);
    expect(snapshotOf(state)).toMatchObject({ standing: 'FORCED_OPEN', number: 1 });
  });
});
