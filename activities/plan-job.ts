import { ApplicationFailure } from '@temporalio/common';
import type { FillsafeConfig } from '../src/config/schema';
import { fingerprintOf } from '../src/domain/fingerprint';
import type { JobPlan } from '../src/domain/job-plan';
import { effectQueue, jobTypeOf, lookUpQueue } from '../src/domain/job-types';
import { checkVenue, isVenueRefused } from '../src/domain/lane';
import {
  canRest,
  describeCancel,
  describeOrder,
  type CancelOrderInput,
  type PlaceOrderInput,
} from '../src/domain/order';
import { isInvalidInput, parseJobInput } from '../src/domain/order.schema';
import { attemptFailure } from '../src/interceptors/failure';

/**
 * Local activity: checks a job's input and answers what the workflow needs of configuration and policy. It refuses what
 * no worker could ever do, such as a venue that nobody serves, before anything is scheduled.
 */
export function planJob(deps: { config: FillsafeConfig; searchAttributes: boolean }) {
  const { config } = deps;
  return async (activityType: string, raw: unknown): Promise<JobPlan> => {
    const jobType = jobTypeOf(activityType);
    if (!jobType) throw ApplicationFailure.nonRetryable(`${activityType} is no effect of fillsafe`, 'INVALID');
    const input = refusing(raw, () => {
      const checked = parseJobInput(jobType, raw);
      checkVenue(config, checked.venue);
      return checked;
    });
    const policy = config.retry.policy[jobType];
    const look = config.retry.look_up;
    const rests = jobType !== 'order.place' || canRest(input as PlaceOrderInput);
    return {
      jobType,
      intentId: input.intentId,
      venue: input.venue,
      symbol: input.symbol,
      fingerprint: fingerprintOf(input),
      summary:
        jobType === 'order.place' ? describeOrder(input as PlaceOrderInput) : describeCancel(input as CancelOrderInput),
      input,
      taskQueue: effectQueue(jobType, input.venue),
      lookUpQueue: lookUpQueue(input.venue),
      scheduleToCloseMs: policy.schedule_to_close_seconds * 1_000,
      startToCloseMs: policy.start_to_close_seconds * 1_000,
      heartbeatMs: policy.heartbeat_seconds * 1_000,
      initialIntervalMs: policy.initial_interval_ms,
      maximumIntervalMs: policy.maximum_interval_ms,
      onAbsent: rests ? 'resend' : policy.on_absent,
      lookUp: {
        startToCloseMs: look.start_to_close_seconds * 1_000,
        initialIntervalMs: look.initial_interval_ms,
        maximumIntervalMs: look.maximum_interval_ms,
      },
      searchAttributes: deps.searchAttributes,
    };
  };
}

function refusing<T>(raw: unknown, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const { intentId, venue } = (raw ?? {}) as { intentId?: unknown; venue?: unknown };
    const about = { intentId: String(intentId ?? ''), venue: String(venue ?? '') };
    if (isInvalidInput(error)) throw attemptFailure('INVALID', error.message, about);
    if (isVenueRefused(error)) throw attemptFailure(error.category, error.message, about);
    throw error;
  }
}
