import { ApplicationFailure } from '@temporalio/common';
import type { LookUpAnswer, LookUpInput, Resolution } from '../src/domain/job-plan';
import { isInvalidInput } from '../src/domain/order.schema';
import type { Look } from '../src/guard/effect';
import type { IntentRef } from '../src/guard/keys';
import { serialiseResult } from '../src/guard/serialise';
import { LateToSendError } from '../src/guard/ticket';
import { answerOf } from '../src/interceptors/answer';
import type { Runtime } from '../src/interceptors/runtime';
import { knownEffect } from './known-effect';

/**
 * Writes a person's decision into the record, with its audit row. Of an act that a person says happened the effect tells the
 * result: an order as the venue has it, anything else as its look-up finds it or the person knows it.
 */
export function resolveIntentActivity(runtime: Runtime) {
  return async (request: LookUpInput, resolution: Resolution): Promise<LookUpAnswer> => {
    const effect = knownEffect(runtime, request.jobType);
    const { ref, input } = effect.read(request.input);
    const { decision, actor, reason } = resolution;
    const message = `${actor} decided that it was refused: ${reason}`;
    let payload = JSON.stringify({ category: 'RESOLVED_REJECTED', message, why: reason });
    let result: object = {};
    if (decision === 'done') {
      result = await effect.decided(input, resolution, await lookOf(runtime, ref)).catch(refusing);
      payload = serialiseResult(result);
    }
    const outcome = await runtime.guard.resolve(ref, { decision, payload, actor, reason });
    if (outcome.kind === 'EARLY') {
      const seconds = Math.ceil(outcome.waitMs / 1_000);
      const early = `decision: too early for "absent": its last request may still take effect for ${seconds} s`;
      throw ApplicationFailure.nonRetryable(early, 'INVALID');
    }
    if (outcome.kind === 'REFUSED') {
      runtime.log.warn(
        { ...ref, state: outcome.state },
        'a decision came after the record had been resolved otherwise',
      );
      return { outcome: 'manual', evidence: `the record is ${outcome.state}, no longer MANUAL` };
    }
    runtime.recorder.sideEffect(ref.jobType, 'resolved');
    switch (decision) {
      case 'done': {
        const times = { replayed: false, attempts: Math.max(outcome.attempts, 1) };
        return { outcome: 'done', result: answerOf(effect, ref, result, times) };
      }
      case 'absent':
        if (request.onAbsent === 'resend') return { outcome: 'absent' };
        // Where it is not sent again, a look must end the record as such first: left open, it would let another caller act.
        return { outcome: 'manual', evidence: `${actor} decided that it did not happen: ${reason}` };
      case 'rejected':
        return { outcome: 'rejected', category: 'RESOLVED_REJECTED', message };
    }
  };
}

/** A look on a person's behalf: it may change nothing. */
async function lookOf({ guard }: Runtime, ref: IntentRef): Promise<Look> {
  const [record, now] = await Promise.all([guard.record(ref), guard.now()]);
  const { createdAt = now, looks = 0 } = record ?? {};
  const pass = (): never => {
    throw new LateToSendError('a decision is being taken: this look may change nothing');
  };
  return { confirming: false, ageMs: now - createdAt, looks, pass };
}

function refusing(error: unknown): never {
  if (isInvalidInput(error)) throw ApplicationFailure.nonRetryable(error.problems.join('; '), 'INVALID');
  throw error;
}
