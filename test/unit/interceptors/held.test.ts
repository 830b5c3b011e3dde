import type { Effect } from '../../../src/guard/effect';
import type { HeldError } from '../../../src/guard/errors';
import { held } from '../../../src/interceptors/held';

/** An act whose job lives on for so long. */
const act = (lifeMs?: number) =>
  ({ effect: { lifeMs: () => lifeMs } as unknown as Effect, input: {} }) as Parameters<typeof held>[0];
const by = (scope: string, waitMs: number) => ({ scope, why: 'open', waitMs });

describe('an act that is held', () => {
  it.each([
    ['paper/order.place', 10_000],
    ['paper', 10_000],
    ['all', 10_000],
    // Its queue is not shut: each question is an attempt.
    ['paper/account/main', 60_000],
  ])('by %s for long asks again within %d ms, as people may let go early, and not all at one moment', (scope, most) => {
    const waits = Array.from({ length: 100 }, () => (held(act(), by(scope, 600_000)) as HeldError).waitMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(most);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(most / 2);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(most / 4);
  });

  it.each([
    ['paper/order.place', 3_000],
    ['paper/account/main', 20_000],
  ])('by %s for %d ms asks again when that is over', (scope, waitMs) => {
    const error = held(act(), by(scope, waitMs));
    expect(error).toMatchObject({ name: 'HeldError', waitMs });
    expect(error.message).toBe(`held: breaker ${scope}: open; nothing was sent, next try in ${waitMs / 1_000} s`);
  });

  it('comes back when its own time is over, and ends then', () => {
    expect(held(act(5_000), by('paper', 600_000))).toMatchObject({ name: 'HeldError', waitMs: 5_001 });
    expect(held(act(0), by('paper', 600_000))).toMatchObject({ name: 'ExpiredError' });
  });
});
