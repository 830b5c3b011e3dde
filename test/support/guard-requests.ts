import { levelsOf } from '../../src/breaker/levels';
import type { VenueHealth } from '../../src/breaker/report';
import type { BreakerSettings } from '../../src/breaker/settings';
import type { Admission } from '../../src/guard/answers';
import type { Guard } from '../../src/guard/guard';
import type { IntentRef } from '../../src/guard/keys';

export const breaker: BreakerSettings = {
  windowMs: 30_000,
  minimumCalls: 20,
  failureRatio: 0.5,
  slowMs: 0,
  slowRatio: 0,
  failuresInRow: 0,
  quorum: 1,
  openMs: 15_000,
  maximumOpenMs: 300_000,
  permits: 3,
  permitMs: 20_000,
  successesToClose: 5,
  rampMs: 5_000,
  reopenPerSecond: 20,
  mode: 'enforce',
};

/** The levels of a placement, each with the same settings. */
export const levels = levelsOf({ jobType: 'order.place' }, { venue: breaker, jobType: breaker, account: breaker });

export const placing = (intentId: string): IntentRef => ({ venue: 'paper', jobType: 'order.place', intentId });

/** A plain first admit, of which a test changes what it is about. */
export function admitRequest(
  over: Partial<Parameters<Guard['admit']>[1]> & { attempt?: number; nonce?: string } = {},
): Parameters<Guard['admit']>[1] {
  const { attempt = 1, nonce = 'n1', ...rest } = over;
  return {
    owner: { activity: 'order:a/run/1', attempt, nonce },
    fingerprint: '1:aa',
    leaseMs: 20_000,
    quiesceMs: 18_000,
    knownUnsent: false,
    mostSends: 5,
    breaker: { levels, held: true, canProbe: false },
    ...rest,
  };
}

export function settleRequest({
  health = 'ok',
  ...over
}: Partial<Parameters<Guard['settle']>[1]> & { health?: VenueHealth } = {}): Parameters<Guard['settle']>[1] {
  return {
    fence: '0',
    ending: 'done',
    payload: '{"orderId":"1"}',
    elapsedMs: 5,
    quiesceMs: 18_000,
    breaker: { levels, health, worker: 0 },
    ...over,
  };
}

/** The fence of a GO; fails the test on any other answer. */
export function fenceOf(admission: Admission): string {
  if (admission.kind !== 'GO') throw new Error(`expected GO, got ${JSON.stringify(admission)}`);
  return admission.fence;
}
