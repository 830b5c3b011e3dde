import { forceAt, type Override } from '../breaker/override';
import type { BreakerSettings } from '../breaker/settings';
import { callsAt, type BreakerSnapshot, type Standing } from '../breaker/snapshot';
import { duration } from './output';

export interface BreakerWords {
  standing: Standing;
  /** The automatic state beneath what people ordered and the venue said. */
  state: BreakerSnapshot['state'];
  words: string;
  /** Whether it holds what adds risk. */
  held: boolean;
  /** Since when it stands so; null where it never turned, where the venue holds it, and where no time of an order is known. */
  since: string | null;
  /** When what holds now ends by itself; null where it does not. */
  until: string | null;
  why: string;
  calls: number;
  failures: number;
  slow: number;
  /** Failures by calls within the window, over all workers; null where there were none. */
  failureRatio: number | null;
  /** What trips it, in words. */
  threshold: string;
  /** What happens next, and when. */
  next: string;
  /** Who ordered what until when; `''` if nobody. */
  ordered: string;
  /** Number of the last order, 0 where there was none. */
  order: number;
  override: {
    kill: boolean;
    force: Override['force'];
    until: string | null;
    actor: string;
    reason: string;
    ticket: string;
  };
}

/** A breaker for somebody on call. `nowMs` is Redis time. */
export function breakerWords(
  {
    breaker,
    override,
    ...now
  }: { breaker: BreakerSnapshot; override: Override; standing: Standing; until: number; why: string },
  settings: BreakerSettings | undefined,
  nowMs: number,
): BreakerWords {
  const { state } = breaker;
  const { calls, failures, slow } = callsAt(nowMs, breaker, settings);
  const force = forceAt(override, nowMs);
  const left = (until: number): string => duration(until - nowMs);
  const { actor, reason, ticket } = override.kill
    ? { actor: override.killedBy, reason: override.killReason, ticket: '' }
    : override;
  // Nothing is held by what is only observed, or not judged at all; what people ordered holds in any case.
  const isWatched = settings?.mode !== 'enforce' && WATCHED.has(now.standing);
  const what = override.kill ? 'kill' : force === 'open' ? 'open' : force === 'closed' ? 'close' : '';
  return {
    standing: now.standing,
    state,
    words: isWatched ? `${now.standing} as it sees it, but jobs pass` : WORDS[now.standing],
    held: HOLDING.has(now.standing) && !isWatched,
    since: iso(sinceOf(now.standing, breaker, override)),
    until: iso(now.until),
    why: now.why,
    ...{ calls, failures, slow, failureRatio: calls === 0 ? null : failures / calls },
    threshold: thresholdOf(settings),
    next: nextOf(now.standing, breaker, settings, now.until, nowMs),
    ordered: what === '' ? '' : `${what} by ${actor}${override.kill ? '' : `, ${left(override.until)} left`}`,
    order: override.number,
    override: {
      kill: override.kill,
      force,
      until: force === '' ? null : iso(override.until),
      ...(what === '' ? { actor: '', reason: '', ticket: '' } : { actor, reason, ticket }),
    },
  };
}

/** Epoch ms by the clock of whoever decided: of Temporal for an order, of Redis for what is automatic. */
function sinceOf(now: Standing, { state, since }: BreakerSnapshot, { killedAt, forcedAt }: Override): number {
  if (now === 'KILLED') return killedAt;
  if (now === 'FORCED_OPEN' || now === 'FORCED_CLOSED') return forcedAt;
  return now === state ? since : 0;
}

const WORDS: Record<Standing, string> = {
  CLOSED: 'closed, jobs pass',
  OPEN: 'OPEN, jobs are held',
  HALF_OPEN: 'half open, trying',
  RAMP: 'coming back, a share passes',
  HELD: 'HELD as the venue said',
  FORCED_OPEN: 'FORCED OPEN, jobs are held',
  FORCED_CLOSED: 'forced closed, jobs pass',
  KILLED: 'KILLED, only cancels pass',
};

const HOLDING = new Set<Standing>(['OPEN', 'HELD', 'FORCED_OPEN', 'KILLED']);
const WATCHED = new Set<Standing>(['OPEN', 'HALF_OPEN', 'RAMP', 'HELD']);

function nextOf(
  now: Standing,
  breaker: BreakerSnapshot,
  settings: BreakerSettings | undefined,
  until: number,
  nowMs: number,
): string {
  const left = duration(until - nowMs);
  switch (now) {
    case 'CLOSED':
      return '';
    case 'OPEN':
      return until > nowMs ? `tries the venue in ${left}` : 'tries the venue with the next job';
    case 'HALF_OPEN':
      return settings ? `after ${settings.successesToClose} good probes a share passes` : 'probes';
    case 'RAMP':
      return 'all pass when that goes well';
    case 'HELD':
      return `goes on in ${left}`;
    case 'FORCED_OPEN':
      return `tries the venue in ${left}`;
    case 'FORCED_CLOSED':
      return `decides by itself in ${left} (now ${breaker.state})`;
    case 'KILLED':
      return 'stays until somebody orders unkill';
  }
}

function thresholdOf(settings: BreakerSettings | undefined): string {
  if (!settings) return 'nothing is automatic';
  const { failureRatio, minimumCalls, failuresInRow, mode } = settings;
  const row = failuresInRow > 0 ? `, or ${failuresInRow} in a row` : '';
  const observed = mode === 'observe' ? ' (observed, nothing is held)' : '';
  return `trips at ${Math.round(failureRatio * 100)} % of ${minimumCalls}${row}${observed}`;
}

function iso(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString();
}
