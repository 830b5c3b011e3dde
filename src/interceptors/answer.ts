import type { JobResult } from '../domain/job-plan';
import type { Effect } from '../guard/effect';
import type { IntentRef } from '../guard/keys';

/** What every caller of an intent is told of an act that happened. */
export function answerOf(
  { resultName }: Effect,
  { intentId }: IntentRef,
  result: unknown,
  { replayed, attempts }: { replayed: boolean; attempts: number },
): JobResult {
  return { intentId, status: 'done', [resultName]: result, replayed, attempts } as object as JobResult;
}
