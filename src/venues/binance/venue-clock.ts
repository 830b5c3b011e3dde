/** Where time comes from; tests give their own. */
export interface TimeSource {
  /** Never jumps, whatever happens to the wall clock. Any origin, ms. */
  monotonicMs(): number;
  /** Epoch ms. */
  wallMs(): number;
}

export const systemTime: TimeSource = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** Before the first measurement nothing is known of this machine's clock; a minute is more than NTP leaves wrong. */
const UNMEASURED_ERROR_MS = 60_000;
/** Crystal oscillators stay within 100 ppm; twice that, as two clocks drift here. */
const DRIFT_PER_MS = 200e-6;

export interface VenueClock {
  /** Venue's clock now and how far it may be wrong, in ms. */
  read(): { nowMs: number; errorMs: number };
  /** Takes over a measurement: venue's time (epoch ms), asked and answered at these readings of the monotonic clock. */
  measured(venueMs: number, askedAtMs: number, answeredAtMs: number): void;
  monotonicMs(): number;
}

/**
 * The venue's clock, kept on a monotonic base: a step of the wall clock does not move it. When the machine sleeps it falls
 * behind, which is the safe side: a request stamped too early is refused with -1021 or leaves its window sooner.
 */
export function createVenueClock({ monotonicMs, wallMs }: TimeSource = systemTime): VenueClock {
  let reading = { atMs: monotonicMs(), venueMs: wallMs(), errorMs: UNMEASURED_ERROR_MS };
  return {
    monotonicMs,
    read() {
      const elapsedMs = monotonicMs() - reading.atMs;
      return { nowMs: reading.venueMs + elapsedMs, errorMs: reading.errorMs + elapsedMs * DRIFT_PER_MS };
    },
    measured(venueMs, askedAtMs, answeredAtMs) {
      const halfMs = (answeredAtMs - askedAtMs) / 2;
      // The venue may have read its clock at any point of the round trip, and cut it off to whole milliseconds.
      reading = { atMs: askedAtMs + halfMs, venueMs, errorMs: halfMs + 1 };
    },
  };
}
