import type { Override } from '../override';
import type { AuditRow } from './audit';
import { enter, happened, MOST_ROWS, type ControlState } from './state';

/** What Redis holds of a scope, as the activity that reads it tells. */
export interface Adoption {
  override: Override;
  /** For how long what is forced still holds. */
  leftMs: number;
  /** The last ones, the oldest first. */
  rows: AuditRow[];
}

/**
 * Takes over what Redis holds and this workflow does not know: the one before it is gone (terminated, or past its retention), or
 * Temporal itself has lost its last orders. A kill that nobody lifted stays. Orders that were taken before this was known follow,
 * with the time at which they were given.
 */
export function adopt(state: ControlState, { override, leftMs, rows }: Adoption, nowMs: number): void {
  const { number } = override;
  const last = rows.at(-1);
  const own = state.rows.find((row) => row.number === number);
  state.isAdopted = true;
  // Its own last order, whose confirmation was lost, is no news.
  if (number <= state.projected || (own !== undefined && own.hash === last?.hash)) return;

  const waiting = state.rows.filter((row) => row.number > state.projected);
  state.rows = rows.slice(-MOST_ROWS);
  state.number = state.projected = number;
  state.hash = last?.number === number ? last.hash : '';
  // Where an order is written at several venues, some may have heard of less than this.
  state.isLost = true;
  const { force, actor, reason, ticket, kill, killedBy, killReason, killedAt, forcedAt } = override;
  state.kill = kill ? { actor: killedBy, reason: killReason, ...given(rows, 'kill', killedAt, nowMs) } : null;
  const action = force === 'closed' ? 'close' : 'open';
  const until = new Date(nowMs + leftMs).toISOString();
  state.force =
    force !== '' && leftMs > 0
      ? { actor, reason, ...given(rows, action, forcedAt, nowMs), ticket: ticket || null, action, until }
      : null;
  happened(state, nowMs, `taken over from Redis: ${number} orders that this workflow did not know of`);
  for (const { action, actor, reason, forSeconds, ticket, at } of waiting) {
    const more = { ...(forSeconds === null ? {} : { forSeconds }), ...(ticket === null ? {} : { ticket }) };
    enter(state, { action, actor, reason, ...more }, Date.parse(at));
  }
}

/** When what is in force was ordered and under which ticket: by the order itself, else as far as the audit tells. */
function given(
  rows: readonly AuditRow[],
  action: AuditRow['action'],
  atMs: number,
  nowMs: number,
): { at: string; ticket: string | null } {
  const row = rows.findLast((each) => each.action === action);
  const at = atMs > 0 ? new Date(atMs).toISOString() : row?.at;
  return { at: at ?? new Date(nowMs).toISOString(), ticket: row?.ticket ?? null };
}
