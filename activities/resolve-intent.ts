import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { LookUpAnswer, LookUpInput, Resolution } from '../src/domain/job-plan';
import { isInvalidInput } from '../src/domain/order.schema';
import { keepAlive } from '../src/interceptors/activity-context';
import { answerOf } from '../src/interceptors/answer';
import type { Runtime } from '../src/interceptors/runtime';
import { decide } from './decide';
import { knownEffect } from './known-effect';

/** Takes a person's decision on a parked job, and answers what the job makes of it. */
export function resolveIntentActivity(runtime: Runtime) {
  return async (request: LookUpInput, resolution: Resolution): Promise<LookUpAnswer> => {
    const effect = knownEffect(runtime, request.jobType);
    const { ref, input } = effect.read(request.input);
    // The venue is asked first, and may take longer to answer than a worker may be silent.
    const stop = keepAlive(Context.current());
    const decided = await decide(runtime.guard, ref, { effect, input }, resolution).catch(refusing).finally(stop);
    if (decided.kind === 'late') {
      const { state } = decided;
      runtime.log.warn({ ...ref, state }, 'a decision came after the record had been resolved otherwise');
      return { outcome: 'manual', evidence: `the record is ${state}, no longer MANUAL` };
    }
    runtime.recorder.sideEffect(ref.jobType, 'resolved');
    switch (decided.kind) {
      case 'done': {
        const times = { replayed: false, attempts: decided.attempts };
        return { outcome: 'done', result: answerOf(effect, ref, decided.result, times) };
      }
      case 'absent': {
        if (request.onAbsent === 'resend') return { outcome: 'absent' };
        // Where it is not sent again, a look must end the record as such first: left open, it would let another caller act.
        const { actor, reason } = resolution;
        return { outcome: 'manual', evidence: `${actor} decided that it did not happen: ${reason}` };
      }
      case 'rejected':
        return { outcome: 'rejected', category: 'RESOLVED_REJECTED', message: decided.message };
    }
  };
}

function refusing(error: unknown): never {
  if (isInvalidInput(error)) throw ApplicationFailure.nonRetryable(error.problems.join('; '), 'INVALID');
  throw error;
}
