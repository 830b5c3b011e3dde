import type { LevelTurn } from '../breaker/levels';
import type { IntentRef } from './keys';
import type { RecordState } from './record';

/** Who asks to act: one run of one attempt of one activity. */
export interface Owner {
  /** `<workflow id>/<run id>/<activity id>`; no line breaks. */
  activity: string;
  attempt: number;
  /** Random per run of the attempt: tells a resend of one call from a second run of the same attempt. */
  nonce: string;
}

export type Admission =
  /** `missing`: why the claim may be on too few replicas to act on it; `''` when nothing is missing. */
  | { kind: 'GO'; fence: string; sends: number; wouldBlock: boolean; missing: string; turns: LevelTurn[] }
  | { kind: 'REPLAY' | 'REJECTED'; payload: unknown; owner: string; attempts: number }
  | { kind: 'BUSY'; waitMs: number }
  /** Held: which level spoke, and why. */
  | { kind: 'OPEN'; waitMs: number; level: string; why: string; turns: LevelTurn[] }
  /** A harmless read decides whether anything may pass: the caller is the one to try it, and reports by `token`. */
  | { kind: 'PROBE'; token: string; level: string; turns: LevelTurn[] }
  /** `suspected`: Redis may have lost claims, in words; `''` where an answer of the intent's own was lost. */
  | { kind: 'UNKNOWN'; waitMs: number; suspected: string }
  | { kind: 'CONFLICT' }
  | { kind: 'MANUAL'; evidence: unknown };

export type Ending = 'done' | 'reject' | 'release' | 'doubt';
/** `lone`: enough calls failed to hold all workers, or this one's did not leave it, but only this worker's. */
export type Settlement = { lone: boolean; turns: LevelTurn[] } & (
  { kind: 'OK'; state: string; attempts: number } | { kind: 'FENCED'; state: string; payload: unknown }
);

export type LookStart =
  | {
      kind: 'LOOK';
      fence: string;
      toQuiescenceMs: number;
      /** No GO was given for it, and no earlier attempt is presumed to have acted: a lost record is all there is to doubt. */
      neverSent: boolean;
      looks: number;
      absents: number;
      sinceAbsentMs: number;
      ageMs: number;
      wouldBlock: boolean;
      turns: LevelTurn[];
    }
  /** The venue is not to be asked now: which level spoke, and why. */
  | { kind: 'OPEN'; waitMs: number; level: string; why: string; turns: LevelTurn[] }
  | { kind: 'DONE' | 'REJECTED'; payload: unknown; owner: string; attempts: number }
  | { kind: 'RELEASED'; neverSent: boolean }
  | { kind: 'BUSY'; waitMs: number }
  | { kind: 'MANUAL'; evidence: unknown }
  | { kind: 'CONFLICT' };

export type LookVerdict = 'found' | 'rejected' | 'absent' | 'repeatable' | 'inconclusive' | 'manual';

/** `lone`: as of a settlement. */
export type LookEnd = { lone: boolean; turns: LevelTurn[] } & (
  | { kind: 'DONE' | 'REJECTED'; attempts: number }
  | { kind: 'RELEASED'; neverSent: boolean }
  | { kind: 'AGAIN'; waitMs: number }
  | { kind: 'MANUAL' }
  | { kind: 'FENCED'; state: string }
);

/** When "not found" means absent. */
export interface AbsenceRule {
  /** From admit until no request of the attempt can take effect any more, ms. */
  quiesceMs: number;
  /** Agreeing looks needed. */
  looks: number;
  /** Ms between the starts of agreeing looks. */
  gapMs: number;
}

/** An unresolved intent that no live lease holds. */
export interface Swept {
  ref: IntentRef;
  state: RecordState;
  /** `<workflow id>/<run id>/<activity id>` of the last GO; `''` if there was none. */
  owner: string;
}
