import type { VenueHealth } from '../../src/breaker/report';
import type { Ending, LookVerdict } from '../../src/guard/answers';

/** What can happen to the intents of a run. */
export type Op =
  | {
      op: 'admit';
      intent: number;
      owner: number;
      attempt: number;
      nonce: number;
      print: number;
      knownUnsent: boolean;
      canProbe?: boolean;
    }
  /** The client library sends the last admit of an intent again. */
  | { op: 'resend'; intent: number }
  /** The last owner's activity begins its next attempt. */
  | { op: 'retry'; intent: number; knownUnsent: boolean }
  | {
      op: 'settle';
      /** So many GOs ago, or the last one of the intent `of`. */
      go: number;
      of?: number;
      ending: Ending;
      health: Exclude<VenueHealth, 'own'>;
      slow?: boolean;
      worker?: number;
      /** The venue tells to hold this level. */
      hold?: '' | 'venue' | 'order.place';
    }
  /** A person's order to a level, or to all. */
  | { op: 'order'; level: 'all' | 'venue' | 'order.place'; kill: boolean; force: '' | 'open' | 'closed'; ticks: number }
  /** What a read showed that was to be tried. */
  | { op: 'probed'; probe: number; isWell: boolean }
  | { op: 'lookBegin'; intent: number; looker: number; givenUp: number; print: number; ends: boolean }
  /** A look from begin to end, by one who is alone at it. */
  | { op: 'look'; intent: number; verdict: LookVerdict }
  /** Two looks after quiescence, far enough apart, that find nothing. */
  | { op: 'absence'; intent: number }
  /** Several acts that fail, one after the other. */
  | { op: 'storm' }
  /** The venue comes back, and fails again before all may pass. */
  | { op: 'relapse' }
  /** An act tells its end when the breaker has turned and turned since. */
  | { op: 'late' }
  /** Time and acts that go well, until the breakers are closed again. */
  | { op: 'calm' }
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

/** The steps of an operation that is made of others; none where it is one by itself. */
export function stepsOf(op: Op): Op[] {
  const act = (intent: number, health: 'ok' | 'fail'): Op[] => [
    { op: 'admit', intent, owner: 0, attempt: 1, nonce: 0, print: 0, knownUnsent: false },
    { op: 'settle', go: 0, ending: 'release', health },
  ];
  const probes: Op[] = [{ op: 'pass', ticks: 4 }, ...[0, 1, 2].flatMap((intent) => act(intent, 'ok'))];
  switch (op.op) {
    case 'absence':
      return [3, 2].flatMap((ticks): Op[] => [
        { op: 'pass', ticks },
        { op: 'look', intent: op.intent, verdict: 'absent' },
      ]);
    case 'storm':
      return [0, 1, 2, 3].flatMap((intent) => act(intent, 'fail'));
    case 'calm':
      return [...probes, { op: 'pass', ticks: 5 }, ...act(3, 'ok')];
    case 'relapse':
      return [...stepsOf({ op: 'storm' }), ...probes, { op: 'pass', ticks: 3 }, ...stepsOf({ op: 'storm' })];
    case 'late':
      return [
        ...act(4, 'ok').slice(0, 1),
        ...stepsOf({ op: 'storm' }),
        ...stepsOf({ op: 'calm' }),
        { op: 'settle', go: 0, of: 4, ending: 'release', health: 'fail' },
      ];
    default:
      return [];
  }
}
