import { createVenueClock } from '../../../../src/venues/binance/venue-clock';

function machine() {
  const time = { monotonic: 5_000, wall: 1_700_000_000_000 };
  const clock = createVenueClock({ monotonicMs: () => time.monotonic, wallMs: () => time.wall });
  const pass = (ms: number): void => void ((time.monotonic += ms), (time.wall += ms));
  return { time, clock, pass };
}

describe('the venue clock', () => {
  it('takes the middle of the round trip and says half of it as its error', () => {
    const { clock, pass } = machine();
    const askedAt = clock.monotonicMs();
    pass(80);
    clock.measured(1_700_000_003_000, askedAt, clock.monotonicMs());
    const { nowMs, errorMs } = clock.read();
    expect(nowMs).toBe(1_700_000_003_040);
    expect(errorMs).toBeGreaterThanOrEqual(40);
    expect(errorMs).toBeLessThan(50);
  });

  it('does not move when the wall clock is set', () => {
    const { time, clock } = machine();
    clock.measured(1_700_000_003_000, clock.monotonicMs(), clock.monotonicMs());
    time.wall -= 3_600_000;
    expect(clock.read().nowMs).toBe(1_700_000_003_000);
  });

  it('grows less certain as time passes, and certain again when measured', () => {
    const { clock, pass } = machine();
    clock.measured(1_700_000_000_000, clock.monotonicMs(), clock.monotonicMs());
    const fresh = clock.read().errorMs;
    pass(3_600_000);
    expect(clock.read().errorMs).toBeGreaterThanOrEqual(fresh + 360);
    clock.measured(1_700_003_600_000, clock.monotonicMs(), clock.monotonicMs());
    expect(clock.read().errorMs).toBe(fresh);
  });

  it('trusts an unmeasured local clock by no less than a minute', () => {
    const { clock } = machine();
    expect(clock.read()).toEqual({ nowMs: 1_700_000_000_000, errorMs: 60_000 });
  });
});
