import { forceAt, type Override } from './override';
import type { BreakerSettings } from './settings';

export const BREAKER_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN', 'RAMP'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface Calls {
  calls: number;
  /** Those of the calls that failed or were slow. */
  failures: number;
  slow: number;
  /** Failures of workers' own networks, which count as calls only once enough workers had them. */
  own: number;
}

/**
 * The automatic state of one level as Redis holds it; times are Redis ms, 0 where there is none. Its calls are those of the
 * window that ended with the last of them.
 */
export interface BreakerSnapshot extends Calls {
  state: BreakerState;
  since: number;
  openUntil: number;
  openings: number;
  failedInRow: number;
  /** The venue's own "come back at". */
  holdUntil: number;
  holdWhy: string;
  /** What brought it to its state. */
  why: string;
  /** Probes under way. */
  permits: number;
  /** The same calls by the tenth of a window in which they were counted. */
  slots: readonly (Calls & { slot: number })[];
}

const FORMAT = '3';
/** Lines of what `lua/breaker.lua` writes. */
const AT = { state: 1, since: 2, openUntil: 3, openings: 5, failedInRow: 9, holdUntil: 10 } as const;
const TEXT_AT = { holdWhy: 16, why: 17, permits: 18, ring: 19 } as const;

/** Reads what `lua/breaker.lua` writes; a level that was never written is closed. */
export function parseBreaker(raw: string | null): BreakerSnapshot {
  const lines = raw?.startsWith(`${FORMAT}\n`) ? raw.split('\n') : [];
  const number = (at: number): number => Number(lines[at] ?? 0);
  const each = (at: number): string[] => (lines[at] ?? '').split(',').filter(Boolean);
  const slots = each(TEXT_AT.ring).map((packed) => {
    const [slot = 0, calls = 0, failures = 0, slow = 0, , , own = 0] = packed.split(':').map(Number);
    return { slot, calls, failures, slow, own };
  });
  return {
    state: (lines[AT.state] as BreakerState | undefined) ?? 'CLOSED',
    since: number(AT.since),
    openUntil: number(AT.openUntil),
    openings: number(AT.openings),
    failedInRow: number(AT.failedInRow),
    holdUntil: number(AT.holdUntil),
    holdWhy: lines[TEXT_AT.holdWhy] ?? '',
    why: lines[TEXT_AT.why] ?? '',
    permits: each(TEXT_AT.permits).length,
    ...sum(slots),
    slots,
  };
}

/** As many as a window has in `lua/window.lua`. */
const SLOTS = 10;

/** The calls of the window that ends now: what nobody calls holds older ones until the next call. Without settings none count. */
export function callsAt(
  nowMs: number,
  { slots }: BreakerSnapshot,
  settings: Pick<BreakerSettings, 'windowMs'> | undefined,
): Calls {
  if (!settings) return sum([]);
  const last = Math.floor((nowMs * SLOTS) / settings.windowMs);
  // What lies a window ahead is of before Redis's clock went back.
  return sum(slots.filter(({ slot }) => Math.abs(last - slot) < SLOTS));
}

function sum(slots: readonly Calls[]): Calls {
  const of = (what: keyof Calls): number => slots.reduce((so, slot) => so + slot[what], 0);
  return { calls: of('calls'), failures: of('failures'), slow: of('slow'), own: of('own') };
}

export type Standing = BreakerState | 'HELD' | 'FORCED_OPEN' | 'FORCED_CLOSED' | 'KILLED';

/** How a level stands, all told; the strictest word counts. `until` is Redis ms, 0 where nothing ends it by itself. */
export function standing(
  breaker: BreakerSnapshot,
  override: Override,
  nowMs: number,
): { standing: Standing; until: number; why: string } {
  const { actor, reason, killedBy, killReason, until } = override;
  const force = forceAt(override, nowMs);
  if (override.kill) return { standing: 'KILLED', until: 0, why: `${killedBy}: ${killReason}` };
  if (breaker.holdUntil > nowMs) return { standing: 'HELD', until: breaker.holdUntil, why: breaker.holdWhy };
  if (force === 'open') return { standing: 'FORCED_OPEN', until, why: `${actor}: ${reason}` };
  if (force === 'closed') return { standing: 'FORCED_CLOSED', until, why: `${actor}: ${reason}` };
  const { state, openUntil, why } = breaker;
  return { standing: state, until: state === 'OPEN' ? openUntil : 0, why };
}
