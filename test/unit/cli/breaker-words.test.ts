import { NO_OVERRIDE, type Override } from '../../../src/breaker/override';
import { parseBreaker, standing, type BreakerSnapshot } from '../../../src/breaker/snapshot';
import { secondsOf } from '../../../src/cli/breaker-order';
import { breakerWords } from '../../../src/cli/breaker-words';
import { loadConfig } from '../../../src/config/load';
import { breakerSettings } from '../../../src/policy/job-policy';

const NOW = Date.parse('2026-01-05T09:00:00.000Z');
const settingsFor = (mode: string) =>
  breakerSettings(loadConfig({ env: {}, flags: { mode } }), { jobType: 'order.place' });

function wordsOf(breaker: Partial<BreakerSnapshot>, override: Partial<Override> = {}, mode = 'enforce') {
  const whole = { ...parseBreaker(null), ...breaker };
  const ordered = { ...NO_OVERRIDE, ...override };
  return breakerWords({ breaker: whole, override: ordered, ...standing(whole, ordered, NOW) }, settingsFor(mode), NOW);
}
const KILL = { number: 3, kill: true, killedBy: 'ann', killReason: 'flood' };
const forced = (force: 'open' | 'closed', leftMs = 90_000): Partial<Override> => ({
  ...{ number: 4, force, until: NOW + leftMs, actor: 'bob', reason: 'slow', ticket: 'OPS-1' },
});

describe('a breaker in words', () => {
  it('that never turned is closed', () => {
    expect(wordsOf({})).toMatchObject({
      ...{
        standing: 'CLOSED',
        words: 'closed, jobs pass',
        since: null,
        until: null,
        held: false,
        next: '',
        ordered: '',
      },
      ...{ failureRatio: null, threshold: 'trips at 50 % of 20, or 10 in a row', order: 0 },
    });
  });

  it('that is open says since when, why, how many failed and when it tries', () => {
    const open = { state: 'OPEN', since: NOW - 5_000, openUntil: NOW + 10_000, why: '5 of 8 calls failed' } as const;
    const slots = [{ slot: NOW / 3_000, calls: 8, failures: 5, slow: 0, own: 0 }];
    expect(wordsOf({ ...open, slots })).toMatchObject({
      ...{ standing: 'OPEN', words: 'OPEN, jobs are held', held: true, why: '5 of 8 calls failed' },
      ...{ since: '2026-01-05T08:59:55.000Z', until: '2026-01-05T09:00:10.000Z', failureRatio: 0.625 },
      next: 'tries the venue in 10 s',
    });
    expect(wordsOf({ ...open, openUntil: NOW - 1 })).toMatchObject({ next: 'tries the venue with the next job' });
  });

  it.each(['observe', 'off'])('that only watches (mode %s) never says that it holds jobs', (mode) => {
    for (const breaker of [{ state: 'OPEN' as const }, { state: 'HALF_OPEN' as const }, { holdUntil: NOW + 5_000 }])
      expect(wordsOf(breaker, {}, mode)).toMatchObject({
        held: false,
        words: expect.stringContaining('as it sees it, but jobs pass') as string,
      });
    expect(wordsOf({}, KILL, mode)).toMatchObject({ held: true, words: 'KILLED, only cancels pass' });
    expect(wordsOf({}, forced('open'), mode)).toMatchObject({ held: true, words: 'FORCED OPEN, jobs are held' });
  });

  it('that is killed says by whom and that only unkill ends it, whatever is forced beneath', () => {
    expect(wordsOf({ state: 'OPEN', since: NOW - 1 }, { ...forced('closed'), ...KILL })).toMatchObject({
      ...{ standing: 'KILLED', held: true, since: null, until: null, why: 'ann: flood', ordered: 'kill by ann' },
      next: 'stays until somebody orders unkill',
      override: { kill: true, actor: 'ann', reason: 'flood', ticket: '', force: 'closed' },
    });
  });

  it('that is forced says by whom and for how long still', () => {
    expect(wordsOf({}, forced('open'))).toMatchObject({
      ...{ standing: 'FORCED_OPEN', ordered: 'open by bob, 1 min left', next: 'tries the venue in 1 min' },
      override: { kill: false, force: 'open', until: '2026-01-05T09:01:30.000Z', ticket: 'OPS-1' },
    });
    expect(wordsOf({ state: 'OPEN' }, forced('closed'))).toMatchObject({
      ...{ standing: 'FORCED_CLOSED', held: false, next: 'decides by itself in 1 min (now OPEN)' },
    });
  });

  it('that is killed or forced says since when, where that is known', () => {
    const [killedAt, forcedAt] = [NOW - 5_000, NOW - 60_000];
    const open = { state: 'OPEN', since: NOW - 1 } as const;
    expect(wordsOf(open, { ...forced('open'), ...KILL, killedAt, forcedAt }).since).toBe('2026-01-05T08:59:55.000Z');
    for (const force of ['open', 'closed'] as const)
      expect(wordsOf(open, { ...forced(force), forcedAt }).since).toBe('2026-01-05T08:59:00.000Z');
    expect(wordsOf(open, forced('open')).since).toBeNull();
    expect(wordsOf({ ...open, holdUntil: NOW + 1 }, { ...forced('open'), forcedAt }).since).toBeNull();
  });

  it('that was forced and is no more is as it is by itself', () => {
    expect(wordsOf({}, forced('open', -1))).toMatchObject({ standing: 'CLOSED', ordered: '', override: { force: '' } });
  });

  it('that the venue holds says so before what is forced', () => {
    const held = { holdUntil: NOW + 30_000, holdWhy: 'RATE_LIMIT: too many' };
    expect(wordsOf(held, forced('closed'))).toMatchObject({
      ...{ standing: 'HELD', held: true, next: 'goes on in 30 s', why: 'RATE_LIMIT: too many' },
    });
  });
});

describe('a time on the command line', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['2h', 7_200],
    ['30d', 2_592_000],
    [' 1s ', 1],
  ])('%s is %d seconds', (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });

  it.each(['', '15', 'm', '1.5h', '-5m', '5 m', '5M', '1h30m', '999999999s', '5w'])(
    '%j is refused by its name',
    (text) => {
      expect(() => secondsOf(text)).toThrow(`--for: "${text}" must be a whole number with s, m, h or d, like 15m`);
    },
  );
});
