import { pageOf, snapshotOf } from '../../../../src/breaker/control/page';
import { newState, order, refuse, turned, type ControlState } from '../../../../src/breaker/control/state';

const START = Date.parse('2026-01-05T09:00:00.000Z');

function known(scope = 'paper'): ControlState {
  return { ...newState(scope), isAdopted: true };
}

describe('the page of a breaker', () => {
  it('says what stands, what it means, who ordered it and what happened, the newest first', () => {
    const state = known();
    order(state, { action: 'open', reason: 'slow', actor: 'bob', forSeconds: 60 }, START);
    order(state, { action: 'kill', reason: 'flood', actor: 'ann', ticket: 'OPS-1' }, START + 1_000);
    turned(state, { from: 'CLOSED', to: 'OPEN', why: 'forced' }, START + 2_000);
    state.projected = 2;
    expect(pageOf(state)).toBe(
      [
        '# paper: killed',
        '',
        'nothing that adds risk leaves at paper until somebody orders unkill; cancels pass',
        '',
        '| | |',
        '|---|---|',
        '| ordered | by ann at 2026-01-05 09:00:01 UTC: flood (OPS-1) |',
        '| beneath the kill | forced open by bob until 2026-01-05 09:01:00 UTC |',
        '| automatic breaker | OPEN since 2026-01-05 09:00:02 UTC: forced |',
        '| known to every worker | yes, order 2 |',
        '',
        '- 2026-01-05 09:00:02 UTC: breaker CLOSED → OPEN: forced',
        '- 2026-01-05 09:00:01 UTC: ann ordered kill: flood',
        '- 2026-01-05 09:00:00 UTC: bob ordered open for 60 s: slow',
        '',
        'Order otherwise by update or signal `override`, or `fillsafe breaker`.',
      ].join('\n'),
    );
  });

  it.each([
    ['open', 'nobody asks the venue what became of lost answers until 2026-01-05 09:01:00 UTC; jobs in doubt wait'],
    ['close', 'look-ups pass at paper/look-up whatever the automatic breaker says, until 2026-01-05 09:01:00 UTC'],
  ] as const)('of look-ups says what %s means for them, as none of them is a job', (action, meaning) => {
    const state = known('paper/look-up');
    order(state, { action, reason: 'maintenance', actor: 'bob', forSeconds: 60 }, START);
    expect(snapshotOf(state).meaning).toBe(meaning);
    expect(pageOf(state).split('\n').slice(0, 3)).toEqual([
      `# paper/look-up: forced ${action === 'open' ? 'open' : 'closed'}`,
      ...['', meaning],
    ]);
  });

  it('says so while Redis has not taken an order, and what was refused', () => {
    const state = known('all');
    order(state, { action: 'kill', reason: 'flood', actor: 'ann' }, START);
    refuse(state, 'override: reason: missing', START);
    state.note = 'Temporal does not hold fillsafe.order.place.paper';
    expect(pageOf(state)).toContain('| known to every worker | not yet: writing it to Redis |');
    expect(pageOf(state)).toContain('| REFUSED | at 2026-01-05 09:00:00 UTC: override: reason: missing |');
    expect(pageOf(state)).toContain('| to be known | Temporal does not hold fillsafe.order.place.paper |');
    expect(pageOf(state)).not.toContain('automatic breaker |');
    expect(snapshotOf(state)).toMatchObject({ standing: 'KILLED', inEffect: false });
  });

  it('shows texts of people as text: they end no cell, and open no line, markup or link', () => {
    const evil = 'x | y |\n\n# gone `code` <img src=a> [here](http://a.b) ![i](http://a.b/c) **b** ~~s~~ \\| end';
    const state = known();
    order(state, { action: 'kill', reason: evil, actor: evil, ticket: evil }, START);
    turned(state, { from: evil, to: evil, why: evil }, START);
    refuse(state, evil, START);
    state.note = evil;
    const lines = pageOf(state).split('\n');
    const plain = newState('paper');
    plain.isAdopted = true;
    order(plain, { action: 'kill', reason: 'r', actor: 'a', ticket: 't' }, START);
    turned(plain, {}, START);
    refuse(plain, 'r', START);
    plain.note = 'n';
    expect(lines).toHaveLength(pageOf(plain).split('\n').length);
    const cells = lines.filter((line) => line.startsWith('|'));
    expect(cells.map((line) => line.split('|').length)).toEqual(cells.map(() => 4));
    const theirs = lines.slice(6, -2).join('\n');
    expect(theirs).not.toMatch(/[`<>[\]*~\\]/);
    expect(theirs).toContain('gone code');
  });

  it('shows the last twenty events', () => {
    const state = known();
    for (let i = 0; i < 30; i++) turned(state, { from: 'A', to: 'B', why: `turn ${i}` }, START);
    const told = pageOf(state)
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(told).toHaveLength(20);
    expect(told[0]).toContain('turn 29');
    expect(told[19]).toContain('turn 10');
  });
});
