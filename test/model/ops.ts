import type { Ending, LookVerdict, VenueHealth } from '../../src/guard/answers';

/** What can happen to the intents of a run. */
export type Op =
  | { op: 'admit'; intent: number; owner: number; attempt: number; nonce: number; print: number; knownUnsent: boolean }
  /** The client library sends the last admit of an intent again. */
  | { op: 'resend'; intent: number }
  /** The last owner's activity begins its next attempt. */
  | { op: 'retry'; intent: number; knownUnsent: boolean }
  | { op: 'settle'; go: number; ending: Ending; health: VenueHealth }
  | { op: 'lookBegin'; intent: number; looker: number; givenUp: number; print: number; ends: boolean }
  /** A look from begin to end, by one who is alone at it. */
  | { op: 'look'; intent: number; verdict: LookVerdict }
  /** Two looks after quiescence, far enough apart, that find nothing. */
  | { op: 'absence'; intent: number }
  | { op: 'lookEnd'; look: number; verdict: LookVerdict }
  | { op: 'resolve'; intent: number; decision: 'done' | 'absent' | 'rejected' }
  | { op: 'expire'; intent: number }
  | { op: 'lose'; intent: number }
  /** Redis loses everything. */
  | { op: 'flush' }
  /** What Redis holds now is what it comes back with at the next `rollBack`. */
  | { op: 'save' }
  | { op: 'rollBack' }
  /** A worker compares the store with what it has seen of it; `neverUsed`: it vouches that no act was ever done. */
  | { op: 'open'; worker: number; neverUsed: boolean }
  | { op: 'trust' }
  /** An act that no breaker may hold, like a cancel. */
  | { op: 'exempt' }
  | { op: 'pass'; ticks: number };
