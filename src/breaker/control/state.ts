import type { LevelOrders } from '../breakers';
import { nextRow, type AuditRow } from './audit';
import type { Remembered } from './memory';
import type { HeldPlace } from './places';
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
  /** By Temporal's clock; of a turn by that of Redis. */
  at: string;
  what: string;
  /** The automatic breaker turned: these stand in their own order, whenever each was told. */
  isTurn?: true;
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
  /** What people should know of how orders are carried out; `''` if nothing. */
  note: string;
  /** Whether what Redis held before this workflow was taken over. */
  isAdopted: boolean;
  /** Number of the last order that Redis is known to hold. */
  projected: number;
  /** Redis may have lost what it held, or there is a new place: all of it is to be written again. */
  isLost: boolean;
  /** Highest number that a worker had seen when all else had lost it, 0 if none: later orders are numbered above it. */
  seen: number;
  /** What a worker told of later orders than are known here, until that is compared with what Redis holds. */
  told: Remembered | null;
  /** Where orders may hold acts, as far as workers told. */
  places: HeldPlace[];
  /** Updates that were taken of late: one that its client sends again is no second order. */
  taken: { update: string; at: string }[];
}

/** How a projection went. */
export interface Projection {
  /** Redis knows of later orders than these: nothing was written where it does. */
  isStale: boolean;
  /** What was let through before may leave for so long. */
  settleMs: number;
  /** What people should know of it; `''` if nothing. */
  note: string;
}

export const MOST_ROWS = 50;
/** Rows that Redis has not taken yet are kept as far as one payload of Temporal may grow. */
const MOST_WAITING_ROWS = 500;
const MOST_TAKEN = 50;
const MOST_EVENTS = 40;
/** What venues and strangers say is cut, as all of this is carried along for ever. */
const LONGEST_TEXT = 700;
/** A client that had no answer sends its update again within seconds; a name that is used again later is a new order. */
const RESENT_WITHIN_MS = 600_000;

export function newState(scope: string): ControlState {
  return {
    ...{ scope, rows: [], number: 0, hash: '', kill: null, force: null, automatic: null, events: [], refused: null },
    ...{ note: '', isAdopted: false, projected: 0, isLost: false, seen: 0, told: null, places: [], taken: [] },
  };
}

/** What a year of four digits can tell. */
const LATEST_MS = Date.UTC(9999);
const iso = (ms: number): string => new Date(ms).toISOString();

/** Takes an order that was found right. */
export function order(state: ControlState, request: OverrideRequest, nowMs: number): void {
  enter(state, request, nowMs);
  const { actor, action, reason, forSeconds } = request;
  const span = forSeconds === undefined ? '' : ` for ${forSeconds} s`;
  happened(state, nowMs, `${actor} ordered ${action}${span}: ${reason}`);
}

/**
 * Whether this kill was ordered word for word and nobody has lifted it since: it is the same one then, told again. A client that
 * does not hear of its kill leaves it a second time, in another way, and cannot know that the first was taken.
 */
export function standsAlready({ rows, kill }: ControlState, request: OverrideRequest): boolean {
  if (request.action !== 'kill' || kill === null) return false;
  const { actor, reason, ticket = null } = request;
  const sinceLifted = rows.slice(rows.findLastIndex(({ action }) => action === 'unkill') + 1);
  return sinceLifted.some(
    (row) => row.action === 'kill' && row.actor === actor && row.reason === reason && row.ticket === ticket,
  );
}

/** The order's row, and what it changes of what is in force. */
export function enter(state: ControlState, request: OverrideRequest, atMs: number): void {
  const { action, actor, reason } = request;
  const row = nextRow(
    state.scope,
    { number: Math.max(state.number, state.seen), hash: state.hash },
    request,
    iso(atMs),
  );
  const waiting = row.number - state.projected;
  state.rows = [...state.rows, row].slice(-Math.min(Math.max(waiting, MOST_ROWS), MOST_WAITING_ROWS));
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
      state.force = { ...inForce, action, until: iso(atMs + (request.forSeconds ?? 0) * 1_000) };
      break;
  }
}

/** What Redis is to hold, with the rows that it has not taken yet; all that are known where it may have lost some. */
export function ordersOf(state: ControlState, nowMs: number): LevelOrders {
  const { number, hash, kill, force, rows, projected, isLost } = state;
  return {
    ...{ number, hash, kill: kill !== null, killedBy: kill?.actor ?? '', killReason: kill?.reason ?? '' },
    ...{ forcedAt: force === null ? 0 : Date.parse(force.at), killedAt: kill === null ? 0 : Date.parse(kill.at) },
    force: force === null ? '' : force.action === 'open' ? 'open' : 'closed',
    forMs: leftMs(state, nowMs) ?? 0,
    ...{ actor: force?.actor ?? '', reason: force?.reason ?? '', ticket: force?.ticket ?? '' },
    rows: rows
      .filter((row) => isLost || row.number > projected)
      .map((row) => ({ number: row.number, text: JSON.stringify(row) })),
  };
}

/** Whether this update was taken before: by the run before this one, as Temporal tells those of one run apart by itself. */
export function isResent(state: ControlState, update: string, nowMs: number): boolean {
  const recent = state.taken.filter(({ at }) => nowMs - Date.parse(at) < RESENT_WITHIN_MS);
  const isKnown = recent.some((each) => each.update === update);
  state.taken = isKnown ? recent : [...recent, { update, at: iso(nowMs) }].slice(-MOST_TAKEN);
  return isKnown;
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

/**
 * A worker told that the automatic breaker turned, maybe later than another one told of a later turn. Whoever sends another thing
 * wedges nothing.
 */
export function turned(state: ControlState, turn: unknown, nowMs: number): void {
  const { from, to, why, at } = Object(turn) as Record<string, unknown>;
  const what = `breaker ${cut(from, 20)} → ${cut(to, 20)}: ${cut(why)}`;
  const isTimed = typeof at === 'number' && at > 0 && at < LATEST_MS;
  const event: ControlEvent = { at: iso(isTimed ? at : nowMs), what: cut(what), ...(isTimed ? { isTurn: true } : {}) };
  const later = isTimed ? state.events.findIndex((each) => each.isTurn && each.at > event.at) : -1;
  state.events = state.events.toSpliced(later === -1 ? state.events.length : later, 0, event).slice(-MOST_EVENTS);
  if (later === -1) state.automatic = { state: cut(to, 20), since: event.at, why: cut(why) };
}

/** An order that nobody waits for was not taken. */
export function refuse(state: ControlState, message: string, nowMs: number): void {
  state.refused = { at: iso(nowMs), what: cut(message) };
  happened(state, nowMs, `an order was refused: ${message}`);
}

export function happened(state: ControlState, nowMs: number, what: string): void {
  state.events = [...state.events, { at: iso(nowMs), what: cut(what) }].slice(-MOST_EVENTS);
}

function cut(text: unknown, most = LONGEST_TEXT): string {
  const whole = typeof text === 'string' ? text : '?';
  return whole.length > most ? `${whole.slice(0, most - 1)}…` : whole;
}
