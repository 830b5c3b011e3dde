import type { LevelStanding } from '../../../src/breaker/breakers';
import { NO_OVERRIDE, type Override } from '../../../src/breaker/override';
import { parseBreaker, type BreakerSnapshot } from '../../../src/breaker/snapshot';
import { BreakerWatch, type BreakerWatchOptions } from '../../../src/breaker/watch';
import { breaker as settings } from '../../support/guard-requests';

const PLACE = { venue: 'paper', jobType: 'order.place' };
/** Nothing that this machine's clocks say. */
const REDIS_MS = 9_000_000;

/** A watch over what the test says of Redis, by clocks that the test moves. */
function rig(over: Partial<BreakerWatchOptions> = {}) {
  const levels = new Map<string, LevelStanding>();
  const clock = { redisMs: REDIS_MS, ms: 50 };
  const lost: string[] = [];
  /** What it remembered of a scope as it told that Redis had lost it. */
  const remembered: unknown[] = [];
  const lines: string[] = [];
  const asked: string[][] = [];
  const say = (about: unknown, text?: string): void => void lines.push(text ?? String(about));
  let down: Error | undefined;
  const read = (_venue: string, names: readonly string[]) => {
    asked.push([...names]);
    if (down) return Promise.reject(down);
    const all = ['all', ...names].map(
      (level) => levels.get(level) ?? { level, breaker: parseBreaker(null), override: NO_OVERRIDE },
    );
    return Promise.resolve({ nowMs: clock.redisMs, levels: all });
  };
  const watch: BreakerWatch = new BreakerWatch({
    places: [PLACE, { venue: 'paper', jobType: 'signal.publish' }],
    settings: () => settings,
    read,
    onOrdersLost: (scope) => void (lost.push(scope), remembered.push(watch.remembered(scope))),
    onBack: () => void lines.push('back'),
    log: { warn: say, info: say } as BreakerWatchOptions['log'],
    now: () => clock.ms,
    ...over,
  });
  return {
    ...{ watch, lost, remembered, lines, asked, read },
    set(level: string, breaker: Partial<BreakerSnapshot>, override: Partial<Override> = {}): Promise<void> {
      levels.set(level, {
        level,
        breaker: { ...parseBreaker(null), ...breaker },
        override: { ...NO_OVERRIDE, ...override },
      });
      return watch.refresh('paper');
    },
    empty: () => (levels.clear(), watch.refresh('paper')),
    pass: (ms: number) => void (clock.ms += ms),
    down: (error?: Error) => ((down = error), watch.refresh('paper')),
  };
}

describe('what a worker may take of a place', () => {
  it('is all while nothing is known, and while all levels are closed', async () => {
    const { watch, asked } = rig();
    expect(watch.pace(PLACE).perSecond).toBe(Infinity);
    await watch.refresh('paper');
    expect(watch.pace(PLACE).perSecond).toBe(Infinity);
    expect(asked).toEqual([['venue', 'look-up', 'order.place', 'signal.publish']]);
  });

  it('is nothing until the opening is over by the time of Redis, then what probing allows', async () => {
    const { watch, set, pass } = rig();
    await set('order.place', { state: 'OPEN', openUntil: REDIS_MS + 15_000, why: '10 failures in a row' });
    expect(watch.pace(PLACE)).toMatchObject({
      perSecond: 0,
      leftMs: 15_000,
      scope: 'paper/order.place',
      why: '10 failures in a row',
    });
    pass(14_999);
    expect(watch.pace(PLACE).perSecond).toBe(0);
    pass(1);
    // It turns no earlier than an act asks.
    expect(watch.pace(PLACE).perSecond).toBe(settings.permits);
  });

  it.each<[string, Partial<BreakerSnapshot>, number]>([
    ['as many as there are probes while half-open', { state: 'HALF_OPEN' }, settings.permits],
    ['nothing while the venue says so', { holdUntil: REDIS_MS + 1 }, 0],
    ['all when what the venue said is over', { holdUntil: REDIS_MS }, Infinity],
  ])('is %s', async (_what, breaker, perSecond) => {
    const { watch, set } = rig();
    await set('venue', breaker);
    expect(watch.pace(PLACE).perSecond).toBe(perSecond);
  });

  it('is somewhat more than the fleet lets pass while it comes back, as long as that is paced', async () => {
    const { watch, set, pass } = rig();
    await set('venue', { state: 'RAMP', since: REDIS_MS });
    const { reopenPerSecond, rampMs } = settings;
    // Four stages, then twice as many with each further time of one.
    for (const twice of [1, 1, 1, 1, 2, 4]) {
      expect(watch.pace(PLACE).perSecond).toBe(reopenPerSecond * twice * 1.25);
      pass(rampMs);
    }
  });

  it('is what the strictest of its levels says, and no other level', async () => {
    const { watch, set } = rig();
    await set('venue', { state: 'RAMP' });
    await set('order.place', { state: 'OPEN', openUntil: REDIS_MS + 1 });
    expect(watch.pace(PLACE)).toMatchObject({ perSecond: 0, scope: 'paper/order.place' });
    expect(watch.pace({ venue: 'paper', jobType: 'signal.publish' })).toMatchObject({ scope: 'paper' });
    expect(watch.pace({ venue: 'elsewhere', jobType: 'order.place' }).perSecond).toBe(Infinity);
    await set('all', {}, { number: 1, kill: true, killedBy: 'ann', killReason: 'drill' });
    expect(watch.pace(PLACE)).toMatchObject({ standing: 'KILLED', scope: 'all', why: 'ann: drill', leftMs: Infinity });
  });

  it.each<[string, Partial<BreakerSnapshot>, Partial<Override>]>([
    ['is open', { state: 'OPEN', openUntil: REDIS_MS + 1_000 }, {}],
    ['is forced open', {}, { number: 1, force: 'open', until: REDIS_MS + 1_000 }],
  ])('is all while the breaker of look-ups %s, which holds no act', async (_what, breaker, override) => {
    const { watch, set } = rig();
    await set('look-up', breaker, override);
    expect(watch.pace(PLACE)).toMatchObject({ perSecond: Infinity, standing: 'CLOSED' });
    await set('venue', { state: 'RAMP', since: REDIS_MS });
    expect(watch.pace(PLACE)).toMatchObject({ standing: 'RAMP', scope: 'paper' });
  });

  it('is all where people forced it closed, unless the venue or a kill says no', async () => {
    const { watch, set } = rig();
    const forced = { number: 1, force: 'closed', until: REDIS_MS + 1_000 } as const;
    const open = { state: 'OPEN', openUntil: REDIS_MS + 9_000 } as const;
    await set('order.place', open, forced);
    expect(watch.pace(PLACE).perSecond).toBe(Infinity);
    expect(watch.isForcedClosed(PLACE)).toBe(true);
    await set('order.place', { ...open, holdUntil: REDIS_MS + 500 }, forced);
    expect(watch.pace(PLACE).standing).toBe('HELD');
    await set('order.place', open, { ...forced, number: 2, kill: true });
    expect(watch.pace(PLACE).standing).toBe('KILLED');
    expect(watch.isForcedClosed(PLACE)).toBe(false);
  });

  it.each(['observe', undefined] as const)(
    'is held by people alone where breakers only watch or are off (%s)',
    async (mode) => {
      const { watch, set } = rig({ settings: () => mode && { ...settings, mode } });
      await set('order.place', { state: 'OPEN', openUntil: REDIS_MS + 1, holdUntil: REDIS_MS + 1 });
      expect(watch.pace(PLACE).perSecond).toBe(Infinity);
      await set('order.place', { holdUntil: REDIS_MS + 1 }, { number: 1, force: 'open', until: REDIS_MS + 1 });
      expect(watch.pace(PLACE).standing).toBe('FORCED_OPEN');
    },
  );
});

describe('what this process hears', () => {
  const turn = { level: 'order.place', from: 'CLOSED', to: 'OPEN', why: '5 failures in a row', at: REDIS_MS };

  it('holds at once, and is not undone by an answer that was asked for before', async () => {
    const answers: (() => void)[] = [];
    const { watch, read, set, pass } = rig({
      read: async (venue, levels) => {
        const standings = await read(venue, levels);
        await new Promise<void>((resolve) => answers.push(resolve));
        return standings;
      },
    });
    const asked = watch.refresh('paper');
    while (answers.length < 1) await Promise.resolve();
    watch.hear('paper', [turn]);
    expect(watch.pace(PLACE)).toMatchObject({ perSecond: 0, why: turn.why });
    const turned = set('order.place', { state: 'OPEN', openUntil: REDIS_MS + 20_000 });
    answers[0]!();
    while (answers.length < 2) await Promise.resolve();
    expect(watch.pace(PLACE).perSecond).toBe(0);
    answers[1]!();
    await Promise.all([asked, turned]);
    pass(19_999);
    expect(watch.pace(PLACE).perSecond).toBe(0);
    expect(answers).toHaveLength(2);
  });

  it('makes it ask again; an act that was held does so only where that is news', async () => {
    const { watch, asked, set } = rig();
    watch.hear('paper', []);
    watch.hear('elsewhere', [turn]);
    watch.held(PLACE, 'account:main');
    expect(asked).toHaveLength(0);
    watch.hear('paper', [turn]);
    expect(asked).toHaveLength(1);
    await set('order.place', { state: 'OPEN', openUntil: REDIS_MS + 20_000 });
    const before = asked.length;
    watch.held(PLACE, 'order.place');
    expect(asked).toHaveLength(before);
    await set('order.place', {});
    watch.held(PLACE, 'order.place');
    expect(asked).toHaveLength(before + 2);
  });
});

describe('while Redis is away', () => {
  it('what was last seen counts, its ends are found by the time that passes here, and that is said once', async () => {
    const { watch, set, down, pass, lines } = rig();
    await set('order.place', { state: 'OPEN', openUntil: REDIS_MS + 2_000 });
    await down(new Error('Connection is closed.'));
    await watch.refresh('paper');
    expect(watch.pace(PLACE).perSecond).toBe(0);
    pass(2_000);
    expect(watch.pace(PLACE).perSecond).toBe(settings.permits);
    expect(lines).toEqual([expect.stringContaining('cannot be read')]);
    await down();
    await watch.refresh('paper');
    expect(lines.slice(1)).toEqual([expect.stringContaining('is read from Redis again'), 'back']);
  });
});

describe('orders that Redis has lost', () => {
  const kill = { number: 3, kill: true, killedBy: 'ann', killReason: 'drill' };

  it('hold on, and are told of once for each loss', async () => {
    const { watch, lost, set, empty } = rig();
    await set('venue', {}, kill);
    await set('order.place', {}, { number: 2 });
    expect(lost).toEqual([]);
    await empty();
    await watch.refresh('paper');
    expect(lost).toEqual(['paper', 'paper/order.place']);
    expect(watch.pace(PLACE)).toMatchObject({ standing: 'KILLED', isLost: true });
    await set('order.place', {}, { number: 2 });
    await set('venue', {}, { ...kill, number: 2, kill: false });
    expect(watch.pace(PLACE)).toMatchObject({ standing: 'KILLED', isLost: true });
    await set('venue', {}, { number: 4 });
    expect(watch.pace(PLACE)).toMatchObject({ perSecond: Infinity, isLost: false });
    await empty();
    expect(lost).toEqual(['paper', 'paper/order.place', 'paper', 'paper/order.place']);
  });

  it('are remembered, the latest of each scope, for those that have lost them', async () => {
    const { watch, set, empty } = rig({ places: [PLACE, { ...PLACE, venue: 'elsewhere' }] });
    expect(watch.remembered('paper')).toEqual(NO_OVERRIDE);
    await set('venue', {}, kill);
    await set('all', {}, { number: 2 });
    await empty();
    expect(watch.remembered('paper')).toMatchObject(kill);
    expect(watch.remembered('all')).toMatchObject({ number: 2 });
    expect(watch.remembered('paper/account/main')).toEqual(NO_OVERRIDE);
  });

  it('give way to a kill of fewer orders, which was given to those that had forgotten them, once they are told', async () => {
    const { watch, lost, remembered, set, empty } = rig();
    await set('venue', {}, { number: 3 });
    await empty();
    await set('venue', {}, { ...kill, number: 1, killReason: 'anew' });
    expect(lost).toEqual(['paper']);
    expect(remembered).toMatchObject([{ number: 3, kill: false }]);
    expect(watch.pace(PLACE)).toMatchObject({ standing: 'KILLED', why: 'ann: anew', isLost: false });
    await set('venue', {}, { ...kill, number: 1 });
    expect(lost).toEqual(['paper']);
    await set('venue', {}, { number: 4 });
    expect(watch.pace(PLACE).perSecond).toBe(Infinity);
  });

  it('are told of as they are remembered, where Redis shows an older kill at once', async () => {
    const { watch, remembered, set } = rig();
    await set('venue', {}, { number: 3 });
    await set('venue', {}, { ...kill, number: 1 });
    expect(remembered).toMatchObject([{ number: 3, kill: false }]);
    expect(watch.pace(PLACE).standing).toBe('KILLED');
  });
});

describe('its questions', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('are one a second for each venue, from its start to its stop', async () => {
    const { watch, asked } = rig();
    await watch.start();
    expect(asked).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(asked).toHaveLength(4);
    watch.stop();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(asked).toHaveLength(4);
  });
});
