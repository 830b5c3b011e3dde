/** How the breaker of one level decides. All workers must agree: it comes from the configuration. */
export interface BreakerSettings {
  windowMs: number;
  /** Calls within the window, over all workers, below which no share of failures trips. */
  minimumCalls: number;
  /** Share of failures that trips, 0 to 1. */
  failureRatio: number;
  /** Calls that took longer count as slow; 0: none does. */
  slowMs: number;
  /** Share of slow calls that trips, 0 to 1; 0: none does. */
  slowRatio: number;
  /** Failures in a row that trip, however few the calls; 0: none do. */
  failuresInRow: number;
  /** Distinct workers that must fail before all are held, where more than one is at work. */
  quorum: number;
  /** How long the first opening lasts; each further one lasts twice as long, up to `maximumOpenMs`. */
  openMs: number;
  maximumOpenMs: number;
  /** Probes at a time while HALF_OPEN, over all workers. As large a share of them as `failureRatio` may fail. */
  permits: number;
  /** After which a probe that never reported counts as failed. */
  permitMs: number;
  successesToClose: number;
  /** Each of the steps of RAMP: 10, 25 and 50 % of the intents, and then all of them as the pace lets them. */
  rampMs: number;
  /** Refused callers are told to come back at this rate, and RAMP lets no more through. */
  reopenPerSecond: number;
  /** `observe` counts what it would have blocked and blocks nothing. */
  mode: 'observe' | 'enforce';
}

/** The order in which `lua/breaker.lua` reads them. */
export function packBreakerSettings(settings: BreakerSettings): string {
  const { windowMs, minimumCalls, failureRatio, slowMs, slowRatio, failuresInRow, quorum } = settings;
  const { openMs, maximumOpenMs, permits, permitMs, successesToClose, rampMs, reopenPerSecond, mode } = settings;
  return [
    [windowMs, minimumCalls, failureRatio, slowMs, slowRatio, failuresInRow, quorum],
    [openMs, maximumOpenMs, permits, permitMs, successesToClose, rampMs, reopenPerSecond, mode],
  ].join(',');
}
