import type { Override } from '../override';
import { happened, order, type ControlState } from './state';

/** The latest of what a worker has seen people order of a scope. It remembers that, whatever Temporal and Redis lose. */
export type Remembered = Pick<Override, 'number' | 'kill' | 'killedBy' | 'killReason'>;

/** No scope has so many orders: a number that is larger would leave none for those that follow. */
const MOST_ORDERS = 1e9;

/** Reads what a worker tells; `undefined` for what is none: its word that Redis lost something counts without it. */
export function parseRemembered(raw: unknown): Remembered | undefined {
  const { number, kill, killedBy, killReason } = Object(raw) as Record<string, unknown>;
  const isNumber = Number.isInteger(number) && (number as number) > 0 && (number as number) < MOST_ORDERS;
  if (!isNumber || typeof kill !== 'boolean' || typeof killedBy !== 'string' || typeof killReason !== 'string')
    return undefined;
  return { number: number as number, kill, killedBy: killedBy.slice(0, 100), killReason: killReason.slice(0, 500) };
}

/** A worker has seen later orders than this workflow knows: first what Redis holds of them is to be read again. */
export function hear(state: ControlState, told: Remembered | undefined): void {
  if (!told || told.number <= state.number || told.number <= (state.told?.number ?? 0)) return;
  state.told = told;
  state.isAdopted = false;
}

/**
 * Goes on from what a worker remembers and Redis does not hold either: the workflow before this one is gone, and Redis was
 * emptied. Orders are numbered above all that a worker has seen, or it would take them for older ones than it knows and not hear
 * of them. A kill is believed: others go by it then too, and an unkill lifts it for all.
 */
export function recall(state: ControlState, nowMs: number): void {
  const { told } = state;
  state.told = null;
  if (told === null || told.number <= state.number) return;
  state.seen = told.number;
  happened(state, nowMs, `a worker remembers order ${told.number}, which neither Temporal nor Redis has any more`);
  if (!told.kill || state.kill !== null) return;
  const reason = `remembered by a worker, lost in Temporal and in Redis: ${told.killReason}`;
  order(state, { action: 'kill', actor: told.killedBy, reason }, nowMs);
}
