import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Context } from '@temporalio/activity';
import type { Effect, Job } from '../src/guard/effect';
import type { Refusal } from '../src/guard/errors';
import { activityOwner } from '../src/interceptors/activity-context';
import type { Runtime } from '../src/interceptors/runtime';
import { jobPolicy } from '../src/policy/job-policy';

/**
 * Writes EXPIRED into the record of an act that waited in its queue until its time was over, if nobody else has acted on the
 * intent: claims it as an act does, and sends nothing.
 *
 * Why that is safe: the guard gives GO only where a request could leave, so whoever holds GO and sends nothing knows that
 * nothing is under way; a store that may have lost claims gives none. Whatever else it says is left to the look-up, which
 * then goes the usual way.
 */
export async function closeUnsent(
  { guard, config }: Runtime,
  context: Context,
  job: Job,
  effect: Effect,
): Promise<void> {
  const { ref, fingerprint } = job;
  const { quiesceMs } = effect.absence(ref.venue);
  const { attempt } = context.info;
  const owner = { activity: activityOwner(context).activity, attempt, nonce: randomBytes(4).toString('hex') };
  const askedAt = performance.now();
  const admission = await guard.admit(ref, {
    ...{ owner, fingerprint, quiesceMs, leaseMs: quiesceMs },
    // No attempt of this look ever sends.
    knownUnsent: true,
    mostSends: jobPolicy(config, ref.jobType).most_sends,
  });
  if (admission.kind !== 'GO') return;
  const expired: Refusal = { category: 'EXPIRED', message: timeOver(effect, job) };
  await guard.settle(ref, {
    ...{ fence: admission.fence, ending: 'reject', payload: JSON.stringify(expired), quiesceMs },
    elapsedMs: performance.now() - askedAt,
  });
}

function timeOver(effect: Effect, { input }: Job): string {
  const expiresAt = effect.expiresAt(input);
  const isOver = (effect.lifeMs(input) ?? Infinity) <= 0;
  const what =
    expiresAt !== undefined && isOver
      ? `expiresAt ${new Date(expiresAt).toISOString()} has passed`
      : "the job's time was over";
  return `${what} before a worker took it: nothing was sent`;
}
