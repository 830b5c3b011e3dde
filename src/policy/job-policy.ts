import type { FillsafeConfig } from '../config/schema';
import type { BreakerSettings } from '../breaker/settings';

/** Times and budget of one job type; one that people define starts from `default`. */
export type JobPolicy = FillsafeConfig['retry']['policy']['default'];

export function jobPolicy(config: FillsafeConfig, jobType: string): JobPolicy {
  const { policy } = config.retry;
  return Object.assign({}, policy.default, policy[jobType]);
}

/** Every job type that has settings of its own. */
export function configuredJobTypes({ retry: { policy, circuit_breaker } }: FillsafeConfig): string[] {
  const names = [...Object.keys(policy), ...Object.keys(circuit_breaker.job_types)];
  return [...new Set(names)].filter((name) => name !== 'default');
}

/** Times of one venue, ms. */
export interface VenueTimes {
  recvWindowMs: number;
  timeoutMs: number;
  processingBoundMs: number;
  clockErrorMs: number;
  sendWithinMs: number;
}

export function venueTimes(config: FillsafeConfig, venue: string): VenueTimes {
  const times = Object.assign({}, config.venue_defaults, config.venues[venue]);
  return {
    recvWindowMs: times.recv_window_ms,
    timeoutMs: times.timeout_ms,
    processingBoundMs: times.processing_bound_ms,
    clockErrorMs: times.clock_error_ms,
    sendWithinMs: times.send_within_ms,
  };
}

/**
 * From asking the guard until no request of that attempt can take effect any more: it leaves within `sendWithinMs`, the
 * venue takes it within `recvWindowMs` of its timestamp and acts within `processingBoundMs`.
 */
export function quiesceMs(times: VenueTimes): number {
  return times.sendWithinMs + times.recvWindowMs + times.processingBoundMs + times.clockErrorMs;
}

/** How the breaker of a job type decides, or `undefined` where there is none. */
export function breakerSettings(config: FillsafeConfig, jobType: string): BreakerSettings | undefined {
  const { enabled, job_types, ...common } = config.retry.circuit_breaker;
  if (!enabled || config.mode === 'off') return undefined;
  const settings = Object.assign({}, common, job_types[jobType]);
  return {
    windowMs: settings.window_seconds * 1_000,
    minimumCalls: settings.minimum_calls,
    failureRatio: settings.failure_ratio,
    openMs: settings.open_seconds * 1_000,
    maximumOpenMs: settings.maximum_open_seconds * 1_000,
    permits: settings.permits,
    permitMs: settings.permit_seconds * 1_000,
    successesToClose: settings.successes_to_close,
    reopenPerSecond: settings.reopen_per_second,
    mode: config.mode,
  };
}
