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
      health: VenueHealth;
      slow?: boolean;
      worker?: number;
      /** The venue tells to hold this level. */
      hold?: '' | 'venue' | 'order.place';
    }
  /** A person's order to a level, or to all; `isTold`: Redis hears of it at once. */
  | { op: 'order'; level: OrderLevel; kill: boolean; force: '' | 'open' | 'closed'; ticks: number; isTold: boolean }
  /** Redis is told of the order before the last so many: again, late, or at last. */
  | { op: 'retell'; level: OrderLevel; back: number; worker: number }
  /** Redis loses what it holds of the levels. */
  | { op: 'emptied' }
  /** What a read showed that was to be tried. */
  | { op: 'probed'; probe: number; health: Exclude<VenueHealth, 'none'>; worker: number }
  | { op: 'lookBegin'; intent: number; looker: number; givenUp: number; print: number; ends: boolean }
  /** A look from begin to end, by one who is alone at it. */
  | { op: 'look'; intent: number; verdict: LookVerdict; told?: LookTold }
  /** Several looks, one after the other, that the venue does not answer. */
  | { op: 'blind'; health: 'fail' | 'own'; workers: number }
  /** The looks' time to wait is over; one may go, and its record is lost or another's word comes first. */
  | { op: 'overtaken'; health: VenueHealth }
  /** Two looks after quiescence, far enough apart, that find nothing. */
  | { op: 'absence'; intent: number }
  /** Several acts that fail, one after the other, of one worker or of two. */
  | { op: 'storm'; health: 'fail' | 'own'; slow: boolean; workers: number }
  /** The venue comes back, and fails again before all may pass. */
  | { op: 'relapse' }
  /** An act tells its end when the breaker has turned and turned since. */
  | { op: 'late' }
  /** Of the acts that try whether all is well, one tells its end when the others have turned the breaker. */
  | { op: 'straggler' }
  /** Time and acts that go well, until the breakers are closed again. */
  | { op: 'calm' }
  /** All is shut, its time is over, and a read is tried first. */
  | { op: 'read'; health: Exclude<VenueHealth, 'none'>; worker: number }
  /** All is shut, its time is over, and two acts try whether all is well. */
  | { op: 'probes'; first: VenueHealth; second: VenueHealth; slow: boolean; worker: number }
  /** People hold all open, and then longer; or let all pass, until the venue says not to come. */
  | { op: 'force'; force: 'open' | 'closed' }
  /** One act passes when all may, and ends when no other came any more. */
  | { op: 'outlast'; hold: '' | 'venue' }
  /** More acts come back than may pass, while the breakers let a growing share of them through. */
  | { op: 'rush' }
  | { op: 'lookEnd'; look: number; verdict: LookVerdict; told?: LookTold }
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
  /** One such when the venue has just said not to come back for a while. */
  | { op: 'banned' }
  | { op: 'pass'; ticks: number }
  /** Less than any tick: what goes by Redis's seconds. */
  | { op: 'seconds'; seconds: number };

export type OrderLevel = 'all' | 'venue' | 'order.place' | 'look-up';

/** What a look says of the venue's health, and who tells. */
export interface LookTold {
  health: VenueHealth;
  slow: boolean;
  worker: number;
  hold: '' | 'venue' | 'look-up';
}

const SILENT: LookTold = { health: 'fail', slow: false, worker: 0, hold: '' };

/** The steps of an operation that is made of others; none where it is one by itself. */
export function stepsOf(op: Op): Op[] {
  const asks = (intent: number): Op & { op: 'admit' } => {
    return { op: 'admit', intent, owner: 0, attempt: 1, nonce: 0, print: 0, knownUnsent: false };
  };
  const ends = (of: number, health: VenueHealth): Op & { op: 'settle' } => {
    return { op: 'settle', go: 0, of, ending: 'release', health };
  };
  const act = (intent: number, health: VenueHealth): Op[] => [asks(intent), ends(intent, health)];
  const storm: Op = { op: 'storm', health: 'fail', slow: false, workers: 2 };
  const probes: Op[] = [{ op: 'pass', ticks: 4 }, ...[0, 1, 2].flatMap((intent) => act(intent, 'ok'))];
  const second: Op[] = [{ op: 'seconds', seconds: 1 }, ...[0, 2, 5].flatMap((intent) => act(intent, 'ok'))];
  switch (op.op) {
    case 'absence':
      return [3, 2].flatMap((ticks): Op[] => [
        { op: 'pass', ticks },
        { op: 'look', intent: op.intent, verdict: 'absent' },
      ]);
    case 'storm':
      return [0, 1, 2, 3].flatMap((intent): Op[] => {
        // Slow ones are answered all the same.
        const end = { ...ends(intent, op.slow ? 'ok' : op.health), slow: op.slow, worker: intent % op.workers };
        return [asks(intent), end];
      });
    case 'calm':
      return [...probes, { op: 'pass', ticks: 5 }, ...act(3, 'ok')];
    case 'blind':
      return [0, 1, 2, 3].map((intent): Op => {
        const told = { ...SILENT, health: op.health, worker: intent % op.workers };
        return { op: 'look', intent, verdict: 'inconclusive', told };
      });
    case 'overtaken':
      return [
        ...stepsOf({ op: 'blind', health: 'fail', workers: 2 }),
        { op: 'pass', ticks: 4 },
        { op: 'lookBegin', intent: 4, looker: 0, givenUp: -1, print: 0, ends: false },
        { op: 'lose', intent: 4 },
        { op: 'lookEnd', look: 0, verdict: 'inconclusive', told: { ...SILENT, health: op.health } },
      ];
    case 'relapse':
      return [...stepsOf(storm), ...probes, { op: 'seconds', seconds: 6 }, ...stepsOf(storm)];
    case 'outlast': {
      const [soon, late] = [6, 3].map((seconds): Op => ({ op: 'seconds', seconds }));
      // The venue may have told another one meanwhile not to come back.
      const held = op.hold === '' ? [] : [asks(1), { ...ends(1, 'none'), hold: op.hold }];
      return [...stepsOf(storm), ...probes, soon!, asks(0), ...held, late!, ends(0, 'ok')];
    }
    case 'rush':
      return [...stepsOf(storm), ...probes, ...Array.from({ length: 13 }, () => second).flat()];
    case 'read': {
      const read = (worker: number): Op[] => [
        { ...asks(0), canProbe: true },
        { op: 'probed', probe: 0, health: op.health, worker },
      ];
      // Where it says nothing, another worker tries.
      const again: Op[] = op.health === 'own' ? [{ op: 'seconds', seconds: 1 }, ...read(op.worker)] : [];
      return [...stepsOf(storm), { op: 'pass', ticks: 4 }, ...read(0), ...again];
    }
    case 'banned':
      return [asks(0), { ...ends(0, 'none'), hold: 'venue' }, { op: 'exempt' }];
    case 'probes':
      return [
        ...stepsOf(storm),
        { op: 'pass', ticks: 4 },
        ...[asks(0), asks(1), { ...ends(0, op.first), slow: op.slow }, { ...ends(1, op.second), worker: op.worker }],
      ];
    case 'straggler':
      return [
        ...stepsOf(storm),
        ...[{ op: 'pass', ticks: 4 } as const, asks(0), asks(1), ends(0, 'ok'), asks(2), ends(2, 'ok')],
        ...[ends(1, 'fail'), asks(3), ends(3, 'fail'), asks(4), ends(4, 'ok')],
      ];
    case 'force': {
      const order = { op: 'order', kill: false, force: op.force, isTold: true } as const;
      const hold = { ...ends(0, 'ok'), hold: 'order.place' } as const;
      if (op.force === 'closed')
        return [...stepsOf(storm), { ...order, level: 'order.place', ticks: 2.5 }, asks(0), hold, asks(1)];
      return [
        { ...order, level: 'venue', ticks: 1.5 },
        { ...order, level: 'order.place', ticks: 2.5 },
        asks(0),
        { ...order, level: 'venue', ticks: 3.5 },
        asks(1),
      ];
    }
    case 'late':
      return [asks(4), ...stepsOf(storm), ...stepsOf({ op: 'calm' }), ends(4, 'fail')];
    default:
      return [];
  }
}
