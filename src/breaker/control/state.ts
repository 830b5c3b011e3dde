import type { Override } from '../override';
import { nextRow, type AuditRow } from './audit';
import type { OverrideRequest } from './request';

/** An order that is in force. Times are ISO 8601, by Temporal's clock. */
export interface OrderInForce {
  actor: string;
  reason: string;
  ticket: string | null;
  at: string;
}

/** What happened to a scope: an order, its end, a refusal, a turn of the automatic breaker. */
export interface ControlEvent {
  at: string;
  what: string;
}

/** All that a control workflow knows of its scope, carried over when it continues as new. Each function here is a step of it. */
export interface ControlState {
  scope: string;
  /** The audit's last rows, the oldest first, and number and hash of the last one. */
  rows: AuditRow[];
  number: number;
  hash: string;
  kill: OrderInForce | null;
  force: (OrderInForce & { action: 'open' | 'close'; until: string }) | null;
  /** What workers last told of the automatic breaker. */
  automatic: { state: string; since: string; why: string } | null;
  /** The last ones, the oldest first. */
  events: ControlEvent[];
  /** Why the last order was not taken that had no caller to tell. */
  refused: ControlEvent | null;
  /** Number of the last order that Redis is known to hold; 0 where it is to be written again. */
  projected: number;
  /** Venues that `all` concerns, as far as workers told. */
  venues: string[];
}

/** What Redis holds of a scope, as the activity that reads it tells. */
export interface Adoption {
  override: Override;
  /** For how long what is forced still holds. */
  leftMs: number;
  rows: AuditRow[];
}

/** How a projection went. */
export interface Projection {
  /** What was let through before may leave for so long. */
  settleMs: number;
  /** What people should know of it; `''` if nothing. */
  note: string;
}

const MOST_ROWS = 50;
const MOST_EVENTS = 40;

export function newState(scope: string): ControlState {
  return {
    ...{ scope, rows: [], number: 0, hash: '', kill: null, force: null, automatic: null },
    ...{ events: [], refused: null, projected: 0, venues: [] },
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Takes an order that was found right. */
export function order(state: ControlState, request: OverrideRequest, nowMs: number): void {
  const { action, actor, reason } = request;
  const row = nextRow(state.scope, state, request, iso(nowMs));
  state.rows = [...state.rows, row].slice(-MOST_ROWS);
  state.number = row.number;
  state.hash = row.hash;
  const inForce = { actor, reason, ticket: row.ticket, at: row.at };
  switch (action) {
    case 'kill':
      state.kill = inForce;
      break;
    case 'unkill':
      state.kill = null;
      break;
    case 'auto':
      state.force = null;
      break;
    case 'open':
    case 'close':
      state.force = { ...inForce, action, until: iso(nowMs + (request.forSeconds ?? 0) * 1_000) };
      break;
  }
  const span = row.forSeconds === null ? '' : ` for ${row.forSeconds} s`;
  happened(state, nowMs, `${actor} ordered ${action}${span}: ${reason}`);
}

/** Ms until what is forced ends; `undefined` where nothing is. */
export function leftMs({ force }: ControlState, nowMs: number): number | undefined {
  return force === null ? undefined : Math.max(Date.parse(force.until) - nowMs, 0);
}

/** Ends what is forced when its time is over. Redis ends it by itself, by the same span. */
export function expire(state: ControlState, nowMs: number): boolean {
  if (state.force === null || leftMs(state, nowMs) !== 0) return false;
  const next = state.force.action === 'open' ? 'the venue is tried' : 'the automatic breaker decides';
  happened(state, nowMs, `what ${state.force.actor} ordered (${state.force.action}) has ended: ${next} again`);
  state.force = null;
  return true;
}

/** A worker told that the automatic breaker turned. */
export function turned(
  state: ControlState,
  { from, to, why }: { from: string; to: string; why: string },
  nowMs: number,
): void {
  state.automatic = { state: to, since: iso(nowMs), why };
  happened(state, nowMs, `breaker ${from} → ${to}: ${why}`);
}

/** An order that nobody waits for was not taken. */
export function refuse(state: ControlState, message: string, nowMs: number): void {
  state.refused = { at: iso(nowMs), what: message };
  happened(state, nowMs, `an order was refused: ${message}`);
}

/**
 * The workflow that knew what was ordered is gone (terminated, or past its retention), and Redis still holds it: it goes on from
 * there. A kill that nobody lifted stays.
 */
export function adopt(state: ControlState, { override, leftMs: left, rows }: Adoption, nowMs: number): void {
  if (override.number <= state.number) return;
  const last = rows.at(-1);
  state.rows = rows.slice(-MOST_ROWS);
  state.number = override.number;
  state.hash = last?.number === override.number ? last.hash : '';
  state.projected = override.number;
  const at = iso(nowMs);
  const { actor, reason, ticket, force, kill, killedBy, killReason } = override;
  state.kill = kill ? { actor: killedBy, reason: killReason, ticket: null, at } : null;
  const action = force === 'closed' ? 'close' : 'open';
  state.force =
    force !== '' && left > 0 ? { actor, reason, ticket: ticket || null, at, action, until: iso(nowMs + left) } : null;
  happened(
    state,
    nowMs,
    `taken over from Redis, as the workflow before this one is gone: ${override.number} orders so far`,
  );
}

export function happened(state: ControlState, nowMs: number, what: string): void {
  state.events = [...state.events, { at: iso(nowMs), what }].slice(-MOST_EVENTS);
}
