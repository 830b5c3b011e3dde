// What the model keeps of one intent. Time is counted in ticks; a GO is named by its number.

export type ModelState = 'CLAIMED' | 'DONE' | 'REJECTED' | 'RELEASED' | 'UNKNOWN' | 'RECONCILING' | 'MANUAL';

export interface ModelRecord {
  state: ModelState;
  fingerprint: string;
  /** Number of the last GO, 0 before the first. */
  go: number;
  owner: string;
  /** Attempt and nonce of the holder, or the looker. */
  holder: string;
  leaseUntil: number;
  quiesceAt: number;
  sends: number;
  attempts: number;
  look: number;
  lookAt: number;
  looks: number;
  absents: number;
  absentAt: number;
  givenUp: string[];
  /** Whose word it is that stands: `settle <go> <ending>`, or another's. */
  word: string;
  /** A person said that it did not happen. */
  decided: boolean;
}

export function newRecord(state: ModelState, fingerprint: string): ModelRecord {
  const times = { leaseUntil: 0, quiesceAt: 0, lookAt: 0, absentAt: 0 };
  const counts = { go: 0, sends: 0, attempts: 0, look: 0, looks: 0, absents: 0 };
  return { state, fingerprint, owner: '', holder: '', givenUp: [], word: '', decided: false, ...times, ...counts };
}

export interface ModelSettings {
  leaseTicks: number;
  quiesceTicks: number;
  lookLeaseTicks: number;
  gapTicks: number;
  agreeing: number;
  mostLooks: number;
  mostSends: number;
}

export type ModelAdmission =
  | { kind: 'GO'; go: number; sends: number; fresh: boolean; wouldBlock: boolean }
  | { kind: 'BUSY' | 'UNKNOWN'; waitTicks: number }
  | { kind: 'OPEN'; waitTicks: number; soonMs: number; place: number; level: string }
  | { kind: 'PROBE'; untilMs: number; level: string }
  | { kind: 'REPLAY' | 'REJECTED' | 'CONFLICT' | 'MANUAL' };

export type ModelLookStart =
  | { kind: 'LOOK'; look: number; toQuiescence: number; wouldBlock: boolean }
  | { kind: 'BUSY'; waitTicks: number }
  | { kind: 'OPEN'; waitTicks: number; soonMs: number; place: number; level: string }
  | { kind: string };

export interface ModelCaller {
  owner: string;
  attempt: number;
  nonce: string;
  fingerprint: string;
  knownUnsent: boolean;
  /** For the breakers. */
  act: { bucket: number; held: boolean; canProbe: boolean };
}
