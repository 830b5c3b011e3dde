import type { Effect } from '../../../src/guard/effect';
import { held } from '../../../src/interceptors/held';

/** An act whose job lives on for so long. */
const act = (lifeMs?: number) =>
  ({ effect: { lifeMs: () => lifeMs } as unknown as Effect, input: {} }) as Parameters<typeof held>[0];
const by = (scope: string, waitMs: number) => ({ scope, why: 'open', waitMs });

describe('an act that is held', () => {
  it.each([
    ['paper/order.place', 600_000, 10_000],
    ['paper', 600_000, 10_000],
    ['all', 600_000, 10_000],
    // Its queue is not shut: each question is an attempt.
    ['paper/account/main', 600_000, 60_000],
    ['paper/order.place', 3_000, 3_000],
    ['paper/account/main', 20_000, 20_000],
  ])('by %s for %d ms asks again in %d ms, as people may let go early', (scope, waitMs, again) => {
    const error = held(act(), by(scope, waitMs));
    expect(error).toMatchObject({ name: 'HeldError', waitMs: again });
    expect(error.message).toBe(`held: breaker ${scope}: open; nothing was sent, next try in ${again / 1_000} s`);
  });

  it('comes back when its own time is over, and ends then', () => {
    expect(held(act(5_000), by('paper', 600_000))).toMatchObject({ name: 'HeldError', waitMs: 5_001 });
    expect(held(act(0), by('paper', 600_000))).toMatchObject({ name: 'ExpiredError' });
  });
});
