import { NO_OVERRIDE, type Override } from '../../../src/breaker/override';
import { parseBreaker, standing, type Standing } from '../../../src/breaker/snapshot';

const NOW = 9_000_000;
const OPEN = { ...parseBreaker(null), state: 'OPEN' as const, openUntil: NOW + 100, why: '5 of 8 calls failed' };
const HELD = { ...OPEN, holdUntil: NOW + 200, holdWhy: 'BANNED: too many' };
const FORCE = { number: 2, until: NOW + 300, actor: 'bob', reason: 'slow' };
const KILL = { kill: true, killedBy: 'ann', killReason: 'flood' };

type Row = [kill: boolean, hold: boolean, force: Override['force'], standing: Standing];
const ROWS: Row[] = [
  [true, true, 'open', 'KILLED'],
  [true, true, 'closed', 'KILLED'],
  [true, true, '', 'KILLED'],
  [true, false, 'open', 'KILLED'],
  [true, false, 'closed', 'KILLED'],
  [true, false, '', 'KILLED'],
  [false, true, 'open', 'HELD'],
  [false, true, 'closed', 'HELD'],
  [false, true, '', 'HELD'],
  [false, false, 'open', 'FORCED_OPEN'],
  [false, false, 'closed', 'FORCED_CLOSED'],
  [false, false, '', 'OPEN'],
];
/** When each ends, and why it is so. */
const SAID: Partial<Record<Standing, { until: number; why: string }>> = {
  KILLED: { until: 0, why: 'ann: flood' },
  HELD: { until: NOW + 200, why: 'BANNED: too many' },
  FORCED_OPEN: { until: NOW + 300, why: 'bob: slow' },
  FORCED_CLOSED: { until: NOW + 300, why: 'bob: slow' },
  OPEN: { until: NOW + 100, why: '5 of 8 calls failed' },
};

describe('how a level stands, all told', () => {
  it.each(ROWS)('killed %s, held by its venue %s, forced %j, open by itself: %s', (kill, hold, force, expected) => {
    const override = { ...NO_OVERRIDE, ...(force && { ...FORCE, force }), ...(kill && KILL) };
    expect(standing(hold ? HELD : OPEN, override, NOW)).toEqual({ standing: expected, ...SAID[expected] });
  });

  it.each(['open', 'closed'] as const)(
    'is what it is by itself once the hold and what is forced (%s) are over',
    (force) => {
      const override = { ...NO_OVERRIDE, ...FORCE, force };
      expect(standing(HELD, override, NOW + 200).standing).toBe(force === 'open' ? 'FORCED_OPEN' : 'FORCED_CLOSED');
      expect(standing(HELD, override, NOW + 300).standing).toBe('OPEN');
      expect(standing({ ...HELD, state: 'CLOSED' }, override, NOW + 300)).toMatchObject({
        standing: 'CLOSED',
        until: 0,
      });
    },
  );
});
