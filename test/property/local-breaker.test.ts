import fc from 'fast-check';
import { LocalBreaker, type Alone, type Visit } from '../../src/breaker/local';
import type { VenueHealth } from '../../src/breaker/report';
import type { BreakerSettings } from '../../src/breaker/settings';
import { breaker } from '../support/guard-requests';

const SETTINGS: BreakerSettings = {
  ...breaker,
  windowMs: 1_000,
  minimumCalls: 4,
  failureRatio: 0.5,
  failuresInRow: 3,
  openMs: 500,
  maximumOpenMs: 3_000,
  permitMs: 300,
};

/** Told as plainly as it goes, without a thought of speed: a list of what happened since the state last changed. */
class Model {
  now = 0;
  private calls: { slot: number; failed: boolean }[] = [];
  private opened: { at: number; forMs: number } | undefined;
  private openings = 0;
  private closedAt = 0;
  private era = 0;
  private triesUntil = 0;

  enter(): { row: 'passes' | 'tries' | 'held' | 'held by the one that tries'; waitMs?: number } {
    if (!this.opened) return { row: 'passes' };
    const { at, forMs } = this.opened;
    if (this.now < at + forMs) return { row: 'held', waitMs: at + forMs - this.now };
    if (this.triesUntil > this.now)
      return { row: 'held by the one that tries', waitMs: Math.min(this.triesUntil - this.now, 1_000) };
    this.triesUntil = this.now + SETTINGS.permitMs;
    return { row: 'tries' };
  }

  leave(visit: { era: number; tries: boolean }): void {
    if (visit.tries && visit.era === this.era) this.triesUntil = 0;
  }

  report(visit: { era: number; tries: boolean }, health: VenueHealth, alone: Alone): void {
    if (health === 'none' || visit.era !== this.era) return;
    if (this.opened) {
      if (visit.tries && health === 'ok') this.close();
      if (visit.tries && health !== 'ok') this.open();
      return;
    }
    this.calls.push({ slot: Math.floor(this.now / (SETTINGS.windowMs / 10)), failed: health !== 'ok' });
    if (health !== 'ok' && (alone === 'yes' || (alone === 'maybe' && this.trips()))) this.open();
  }

  get seen(): { era: number; isOpen: boolean } {
    return { era: this.era, isOpen: this.opened !== undefined };
  }

  private trips(): boolean {
    const row = this.calls.slice(-SETTINGS.failuresInRow);
    if (row.length === SETTINGS.failuresInRow && row.every(({ failed }) => failed)) return true;
    const slot = Math.floor(this.now / (SETTINGS.windowMs / 10));
    const recent = this.calls.filter((call) => slot - call.slot < 10);
    const failures = recent.filter(({ failed }) => failed).length;
    return recent.length >= SETTINGS.minimumCalls && failures / recent.length >= SETTINGS.failureRatio;
  }

  private open(): void {
    if (!this.opened) {
      const quiet = Math.floor((this.now - this.closedAt) / SETTINGS.maximumOpenMs);
      this.openings = Math.max(this.openings - quiet, 0);
    }
    this.opened = {
      at: this.now,
      forMs: Math.min(SETTINGS.openMs * 2 ** this.openings, SETTINGS.maximumOpenMs),
    };
    this.openings += 1;
    this.turn();
  }

  private close(): void {
    this.opened = undefined;
    this.closedAt = this.now;
    this.turn();
  }

  private turn(): void {
    this.era += 1;
    this.triesUntil = 0;
    this.calls = [];
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'enter' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'watch' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      which: fc.nat(9),
      health: fc.constantFrom<VenueHealth>('ok', 'fail', 'fail', 'own', 'none'),
      alone: fc.constantFrom<Alone>('no', 'maybe', 'maybe', 'yes'),
      leaves: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1_500 }) }) },
);

/** What was seen to happen, over all runs. */
const rows = {
  passes: 0,
  tries: 0,
  held: 0,
  'held by the one that tries': 0,
  opened: 0,
  closed: 0,
  late: 0,
  decayed: 0,
};

test('the breaker of a worker decides as its model does, whatever happens in which order', () => {
  let steps = 0;
  const runs = 400;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (history) => {
      const model = new Model();
      const real = new LocalBreaker(SETTINGS, () => model.now);
      const visits: { visit: Visit; seen: { era: number; tries: boolean } }[] = [];
      let turnedAt = 0;
      for (const each of history) {
        steps += 1;
        const before = model.seen;
        if (each.kind === 'pass') model.now += each.ms;
        if (each.kind === 'watch') visits.push({ visit: real.watching(), seen: { era: before.era, tries: false } });
        if (each.kind === 'enter') {
          const pace = real.perSecond;
          const { row, waitMs } = model.enter();
          const entered = real.enter();
          if ('waitMs' in entered) {
            expect(entered.waitMs).toBe(waitMs);
          } else {
            expect(entered.isTrial ? 'tries' : 'passes').toBe(row);
            visits.push({ visit: entered, seen: { era: before.era, tries: entered.isTrial } });
          }
          // What the gate takes from the queue is what may enter.
          expect(pace).toBe(row === 'passes' ? Infinity : row === 'tries' ? 1 : 0);
          rows[row] += 1;
        }
        if (each.kind === 'report') {
          const found = visits[each.which % Math.max(visits.length, 1)];
          if (!found) continue;
          if (found.seen.era !== before.era) rows.late += 1;
          real.report(found.visit, each.health, each.alone);
          model.report(found.seen, each.health, each.alone);
          if (each.leaves) {
            real.leave(found.visit);
            model.leave(found.seen);
            visits.splice(visits.indexOf(found), 1);
          }
        }
        const after = model.seen;
        if (after.era === before.era) continue;
        rows[after.isOpen ? 'opened' : 'closed'] += 1;
        if (after.isOpen && !before.isOpen && model.now - turnedAt > SETTINGS.maximumOpenMs) rows.decayed += 1;
        turnedAt = model.now;
      }
      return true;
    }),
    { numRuns: runs, seed: 20_261_127 },
  );
  process.stdout.write(`${runs} runs, ${steps} steps: ${JSON.stringify(rows)}\n`);
  for (const [row, count] of Object.entries(rows)) expect([row, count > 0]).toEqual([row, true]);
});
