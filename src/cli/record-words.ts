import type { GuardRecord, RecordState } from '../guard/record';
import { ago, clockTime, count, duration } from './output';

/** What each state of a record means to people. */
const STATES: Record<RecordState, string> = {
  CLAIMED: 'an attempt is acting',
  DONE: 'done',
  REJECTED: 'refused for good',
  RELEASED: 'free: it surely did not happen',
  UNKNOWN: 'nobody knows yet whether it happened',
  RECONCILING: 'the venue is being asked',
  MANUAL: 'only a person can decide',
};

/** What happens next without anybody doing anything. */
export function nextOf({ state, quiesceAt, leaseUntil }: GuardRecord, nowMs: number): string {
  switch (state) {
    case 'CLAIMED':
      return leaseUntil > nowMs
        ? `its attempt has ${duration(leaseUntil - nowMs)} left to tell how it ended`
        : 'its attempt is overdue: the job looks it up';
    case 'UNKNOWN':
    case 'RECONCILING':
      return quiesceAt > nowMs
        ? `looks at the venue go on; absence can be proved in ${duration(quiesceAt - nowMs)}`
        : 'looks at the venue go on until they agree';
    case 'MANUAL':
      return 'nothing until a person decides: fillsafe guard resolve';
    case 'RELEASED':
      return 'the job sends it again or ends, by its policy';
    case 'DONE':
    case 'REJECTED':
      return 'nothing: every repeat gets this answer';
  }
}

export function stateInWords(state: RecordState): string {
  return `${STATES[state]} (${state})`;
}

export function evidenceOf({ payload }: GuardRecord): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { why, message } = payload as { why?: unknown; message?: unknown };
  return typeof why === 'string' ? why : typeof message === 'string' ? message : undefined;
}

/** What each look showed, the last ones: time, finding, reason. */
export function looksOf({ payload }: GuardRecord): { at: number; verdict: string; why: string }[] {
  const saw = typeof payload === 'object' && payload !== null && 'saw' in payload ? payload.saw : undefined;
  return Array.isArray(saw) ? (saw as { at: number; verdict: string; why: string }[]) : [];
}

export function lookLine(intentId: string, { at, verdict, why }: { at: number; verdict: string; why: string }): string {
  return `  ${intentId}  ${clockTime(at)}  ${verdict}: ${why}`;
}

/** The record as names and values; `nowMs` is Redis time, by which all its times are. */
export function recordFacts(record: GuardRecord, nowMs: number): [string, string][] {
  const { state, settledAt, createdAt, quiesceAt, payload } = record;
  const rows: [string, string][] = [
    ['state', stateInWords(state)],
    ['first seen', `${clockTime(createdAt)}, ${ago(createdAt, nowMs)}`],
  ];
  if (settledAt > 0) rows.push(['settled', `${clockTime(settledAt)}, ${ago(settledAt, nowMs)}`]);
  rows.push(['fence', record.fence], ['requests sent', String(record.sends)], ['attempts', String(record.attempts)]);
  if (record.looks > 0)
    rows.push(['looks', `${count(record.looks, 'look')}, ${record.absents} in a row found nothing`]);
  if (quiesceAt > 0 && state !== 'DONE' && state !== 'REJECTED') rows.push(['can act until', clockTime(quiesceAt)]);
  if (record.owner !== '') rows.push(['last acted on by', record.owner]);
  const evidence = evidenceOf(record);
  if (evidence !== undefined) rows.push([state === 'REJECTED' ? 'refusal' : 'evidence', evidence]);
  else if (payload !== undefined) rows.push(['result', JSON.stringify(payload)]);
  for (const { at, verdict, why } of looksOf(record)) rows.push([`look at ${clockTime(at)}`, `${verdict}: ${why}`]);
  rows.push(['next', nextOf(record, nowMs)]);
  return rows;
}
