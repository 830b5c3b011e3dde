export const BREAKER_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** How the breaker of a job type decides. All workers must agree: it comes from the configuration. */
export interface BreakerSettings {
  windowMs: number;
  /** Calls within the window, over all workers, below which nothing trips. */
  minimumCalls: number;
  /** Share of failures that trips, 0 to 1. */
  failureRatio: number;
  /** How long the first opening lasts; each further one lasts twice as long, up to `maximumOpenMs`. */
  openMs: number;
  maximumOpenMs: number;
  /** Probes at a time while HALF_OPEN, over all workers. */
  permits: number;
  /** After which a probe that never reported counts as gone. */
  permitMs: number;
  successesToClose: number;
  /** Refused callers are told to come back at this rate. */
  reopenPerSecond: number;
  /** `observe` counts what it would have blocked and blocks nothing. */
  mode: 'observe' | 'enforce';
}

/** The order in which `lua/breaker.lua` reads them. */
export function packBreakerSettings(settings: BreakerSettings): string {
  const { windowMs, minimumCalls, failureRatio, openMs, maximumOpenMs, permits, permitMs } = settings;
  const { successesToClose, reopenPerSecond, mode } = settings;
  return [
    [windowMs, minimumCalls, failureRatio, openMs, maximumOpenMs, permits, permitMs],
    [successesToClose, reopenPerSecond, mode],
  ].join(',');
}

/** A breaker as Redis holds it; times are Redis ms. */
export interface BreakerSnapshot {
  state: BreakerState;
  since: number;
  openUntil: number;
  openings: number;
  /** Calls and failures in the window that is being counted. */
  calls: number;
  failures: number;
}

export function parseBreaker(raw: string | null): BreakerSnapshot {
  const lines = raw === null ? [] : raw.split('\n');
  let calls = 0;
  let failures = 0;
  for (const slot of (lines[9] ?? '').split(',').filter(Boolean)) {
    const [, ok = 0, failed = 0] = slot.split(':').map(Number);
    calls += ok + failed;
    failures += failed;
  }
  return {
    state: (lines[1] as BreakerState | undefined) ?? 'CLOSED',
    since: Number(lines[2] ?? 0),
    openUntil: Number(lines[3] ?? 0),
    openings: Number(lines[5] ?? 0),
    calls,
    failures,
  };
}
