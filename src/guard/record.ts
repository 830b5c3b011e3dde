export const RECORD_STATES = ['CLAIMED', 'DONE', 'REJECTED', 'RELEASED', 'UNKNOWN', 'RECONCILING', 'MANUAL'] as const;
export type RecordState = (typeof RECORD_STATES)[number];

/** What Redis holds for an intent; the layout is in `lua/record.lua`. Times are Redis ms, 0 where unset. */
export interface GuardRecord {
  state: RecordState;
  fence: string;
  owner: string;
  attempt: string;
  fingerprint: string;
  leaseUntil: number;
  quiesceAt: number;
  sends: number;
  attempts: number;
  createdAt: number;
  settledAt: number;
  looks: number;
  absents: number;
  /** Result, error or last evidence; `undefined` where there is none. */
  payload: unknown;
}

/** Reads a packed record. Throws on one that this version does not know. */
export function parseRecord(raw: string): GuardRecord {
  const lines = raw.split('\n');
  if (lines[0] !== '1' || lines.length < 19)
    throw new Error(`this is no record of fillsafe version 1: ${raw.slice(0, 40)}`);
  const number = (at: number): number => Number(lines[at] || 0);
  const payload = lines.slice(18).join('\n');
  return {
    state: lines[1] as RecordState,
    fence: lines[2] || '0',
    owner: lines[3] ?? '',
    attempt: lines[4] ?? '',
    fingerprint: lines[5] ?? '',
    leaseUntil: number(6),
    quiesceAt: number(7),
    sends: number(8),
    attempts: number(9),
    createdAt: number(10),
    settledAt: number(11),
    looks: number(14),
    absents: number(15),
    payload: parsePayload(payload),
  };
}

/** Result, error or evidence as a record or a reply holds it. */
export function parsePayload(text: string): unknown {
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
