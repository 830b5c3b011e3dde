import { performance } from 'node:perf_hooks';
import { currentTicket, isExpired, isLateToSend, Ticket, withTicket } from '../../../src/guard/ticket';

const ticket = (over: Partial<ConstructorParameters<typeof Ticket>[0]> = {}): Ticket =>
  new Ticket({ askedAt: performance.now(), sendWithinMs: 2_000, sends: 1, venueNow: () => 1_000, ...over });

function thrownBy(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the right to act once', () => {
  it('passes in time and remembers that the request may have left', () => {
    const held = ticket();
    expect(held.left).toBe(false);
    held.pass();
    expect(held.left).toBe(true);
  });

  it('does not pass when the guard was asked too long ago, and nothing left', () => {
    const held = ticket({ askedAt: performance.now() - 2_001 });
    const error = thrownBy(() => held.pass());
    expect(isLateToSend(error)).toBe(true);
    expect(String(error)).toMatch(/2000 are allowed: nothing was sent/);
    expect(held.left).toBe(false);
  });

  it.each([
    [999, true],
    [1_000, true],
    [1_001, false],
  ])('with expiresAt %i, asked at 1000 by the clock of the venue, is expired: %p', (expiresAt, expired) => {
    const held = ticket({ expiresAt });
    if (!expired) return expect(() => held.pass()).not.toThrow();
    const error = thrownBy(() => held.pass());
    expect(isExpired(error)).toBe(true);
    expect(isLateToSend(error)).toBe(false);
    expect(held.left).toBe(false);
  });

  it('knows a resend from the first send', () => {
    expect([ticket({ sends: 1 }).resend, ticket({ sends: 2 }).resend]).toEqual([false, true]);
  });

  it('is held by the act alone, over every await, and by no act beside it', async () => {
    const [one, two] = [ticket(), ticket()];
    const seen = await Promise.all(
      [one, two].map((each) =>
        withTicket(each, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return currentTicket();
        }),
      ),
    );
    expect(seen[0]).toBe(one);
    expect(seen[1]).toBe(two);
    expect(() => currentTicket()).toThrow('without the guard');
  });
});
