import type { FillsafeConfig } from '../config/schema';
import { levelsOf, type Levels } from '../breaker/levels';
import { LOOK_UP_LEVEL, VENUE_LEVEL } from '../breaker/scope';
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

/** Whose settings those of a level are. */
export function settingsOf(level: string): { jobType: string } | 'venue' | 'look_up' | 'account' {
  if (level === VENUE_LEVEL) return 'venue';
  if (level === LOOK_UP_LEVEL) return 'look_up';
  return level.startsWith('account:') ? 'account' : { jobType: level };
}

/** How the breaker of a job type (or of the other levels) decides, or `undefined` where nothing is automatic. */
export function breakerSettings(
  config: FillsafeConfig,
  level: ReturnType<typeof settingsOf>,
): BreakerSettings | undefined {
  const { enabled, job_types, venue, look_up, account, ...common } = config.retry.circuit_breaker;
  if (!enabled || config.mode === 'off') return undefined;
  const own = typeof level === 'string' ? { venue, look_up, account }[level] : job_types[level.jobType];
  const settings = Object.assign({}, common, own);
  return {
    windowMs: settings.window_seconds * 1_000,
    minimumCalls: settings.minimum_calls,
    failureRatio: settings.failure_ratio,
    slowMs: settings.slow_ms,
    slowRatio: settings.slow_ratio,
    failuresInRow: settings.failures_in_row,
    quorum: settings.quorum,
    openMs: settings.open_seconds * 1_000,
    maximumOpenMs: settings.maximum_open_seconds * 1_000,
    permits: settings.permits,
    permitMs: settings.permit_seconds * 1_000,
    successesToClose: settings.successes_to_close,
    rampMs: settings.ramp_seconds * 1_000,
    reopenPerSecond: settings.reopen_per_second,
    mode: config.mode,
  };
}

const known = new WeakMap<FillsafeConfig, Map<string, Levels>>();

/** The levels that see an act, or, of the job type `LOOK_UP_LEVEL`, a look. */
export function breakerLevels(config: FillsafeConfig, act: { jobType: string; account?: string | undefined }): Levels {
  const levels = known.get(config) ?? new Map<string, Levels>();
  known.set(config, levels);
  // Accounts are the callers' to name: what they name is not kept.
  const found = act.account === undefined ? levels.get(act.jobType) : undefined;
  if (found) return found;
  const [venue, jobType, account] = (['venue', settingsOf(act.jobType), 'account'] as const).map((level) =>
    breakerSettings(config, level),
  );
  const made = levelsOf(act, venue && jobType && account && { venue, jobType, account });
  if (act.account === undefined) levels.set(act.jobType, made);
  return made;
}
