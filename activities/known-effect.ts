import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Effect } from '../src/guard/effect';
import type { Runtime } from '../src/interceptors/runtime';

const ASK_ANOTHER_MS = 500;

/**
 * The effect of a job type. All processes share a queue of look-ups, and each knows only the effects that it was given: one that
 * does not know this one hands the question back, until it comes to one that does.
 */
export function knownEffect({ effects }: Runtime, jobType: string): Effect {
  const effect = effects.ofJobType(jobType);
  if (effect) return effect;
  const failure = ApplicationFailure.create({
    type: 'OUTCOME_UNKNOWN',
    message: `this worker does not know ${jobType}: another one must look; give it to the plugin of one in ownEffects`,
    nextRetryDelay: ASK_ANOTHER_MS,
    category: ApplicationFailureCategory.BENIGN,
  });
  failure.stack = failure.message;
  throw failure;
}
