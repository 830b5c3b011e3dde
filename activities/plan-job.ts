import type { JobPlan } from '../src/domain/job-plan';
import { effectQueue, lookUpQueue } from '../src/domain/job-types';
import { isVenueRefused } from '../src/domain/lane';
import { isInvalidInput } from '../src/domain/order.schema';
import type { Effect, Job } from '../src/guard/effect';
import { aboutJob } from '../src/interceptors/classification';
import { attemptFailure } from '../src/interceptors/failure';
import type { Runtime } from '../src/interceptors/runtime';
import { jobPolicy } from '../src/policy/job-policy';

/**
 * Local activity: checks a job's input and answers what the workflow needs of configuration and policy; null for an
 * activity that is no effect. It refuses what no worker could ever do, such as a venue that nobody serves, before anything
 * is scheduled.
 */
export function planJob(runtime: Runtime, options: { searchAttributes: boolean }) {
  const { config, effects } = runtime;
  return async (activityType: string, given: unknown): Promise<JobPlan | null> => {
    const effect = effects.ofActivity(activityType);
    if (!effect) return null;
    const job = read(effect, given);
    const { jobType, intentId, venue } = job.ref;
    const policy = jobPolicy(config, jobType);
    const look = config.retry.look_up;
    const lifeMs = effect.lifeMs(job.input);
    return {
      jobType,
      intentId,
      venue,
      ...(job.symbol === undefined ? {} : { symbol: job.symbol }),
      fingerprint: job.fingerprint,
      summary: job.summary,
      ...heldNow(runtime, effect, venue),
      input: job.given,
      taskQueue: effectQueue(jobType, venue),
      lookUpQueue: lookUpQueue(venue),
      scheduleToCloseMs: policy.schedule_to_close_seconds * 1_000,
      ...(lifeMs === undefined ? {} : { lifeMs }),
      startToCloseMs: policy.start_to_close_seconds * 1_000,
      heartbeatMs: policy.heartbeat_seconds * 1_000,
      initialIntervalMs: policy.initial_interval_ms,
      maximumIntervalMs: policy.maximum_interval_ms,
      onAbsent: effect.onAbsent(job.input),
      lookUp: {
        startToCloseMs: look.start_to_close_seconds * 1_000,
        initialIntervalMs: look.initial_interval_ms,
        maximumIntervalMs: look.maximum_interval_ms,
      },
      searchAttributes: options.searchAttributes,
    };
  };
}

/** Why its queue is shut at this moment, for people: a job that no worker takes has no failure that would tell. */
function heldNow({ breakerWatch }: Runtime, { heldByBreaker, jobType }: Effect, venue: string): { held?: string } {
  const { perSecond, scope, standing, why } = breakerWatch.pace({ venue, jobType });
  if (!heldByBreaker || perSecond > 0) return {};
  return { held: `breaker ${scope} is ${standing.toLowerCase().replace('_', ' ')}: ${why}` };
}

function read(effect: Effect, given: unknown): Job {
  try {
    return effect.read(given);
  } catch (error) {
    const about = aboutJob(effect, given);
    if (isInvalidInput(error)) throw attemptFailure('INVALID', error.message, about);
    if (isVenueRefused(error)) throw attemptFailure(error.category, error.message, about);
    throw error;
  }
}
