import { performance } from 'node:perf_hooks';
import { CompleteAsyncError, type Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { isVenueRefused } from '../domain/lane';
import { isInvalidInput } from '../domain/order.schema';
import type { Effect } from '../guard/effect';
import { isConflict, isDoubt, isHeld, isNeedsPerson, isRefusedBefore } from '../guard/errors';
import { isExpired, isLateToSend } from '../guard/ticket';
import { backoffMs, clampDelay } from '../policy/backoff';
import { jobPolicy } from '../policy/job-policy';
import { isVenueError } from '../venues/port';
import { remainingMs } from './activity-context';
import { attemptFailure, type HoldType, type JobFailureType } from './failure';
import type { Runtime } from './runtime';

/** Turns what an attempt threw into the failure that Temporal acts on: its type, whether and when to try again, and why. */
export class ClassificationInterceptor implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly runtime: Runtime,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const effect = this.runtime.effects.ofActivity(this.context.info.activityType);
    if (!effect) return next(input);
    const startedAt = performance.now();
    try {
      return await next(input);
    } catch (error) {
      if (passesUntouched(error)) throw error;
      throw this.classify(effect, input.args[0], error, performance.now() - startedAt);
    }
  }

  private classify(effect: Effect, given: unknown, error: unknown, elapsedMs: number): ApplicationFailure {
    const { attempt } = this.context.info;
    const { jobType } = effect;
    const { log, recorder, config } = this.runtime;
    const policy = jobPolicy(config, jobType);
    const backoff = backoffMs(attempt, {
      initialMs: policy.initial_interval_ms,
      maximumMs: policy.maximum_interval_ms,
    });
    const left = remainingMs(this.context, elapsedMs);
    const about = aboutJob(effect, given);
    const message = error instanceof Error ? error.message : String(error);

    const final = (type: JobFailureType | HoldType, said = message): ApplicationFailure =>
      attemptFailure(type, said, about);
    /** Tries again after `delayMs`, or ends as `atDeadline` when the job has no time for another attempt. */
    const again = (
      type: JobFailureType | HoldType,
      delayMs: number,
      atDeadline: JobFailureType,
      benign = false,
    ): ApplicationFailure => {
      const delay = clampDelay(delayMs, left);
      if (delay === undefined) return final(atDeadline, `${message}; the job's time is over`);
      return attemptFailure(type, message, about, { delayMs: delay, benign });
    };

    if (isInvalidInput(error)) {
      recorder.blocked(jobType, attempt, 'invalid');
      return final('INVALID');
    }
    if (isVenueRefused(error)) {
      recorder.blocked(jobType, attempt, 'invalid');
      return final(error.category);
    }
    if (isConflict(error)) {
      recorder.blocked(jobType, attempt, 'conflict');
      return final('CONFLICT');
    }
    if (isDoubt(error)) {
      recorder.blocked(jobType, attempt, 'outcome_unknown');
      recorder.failed(jobType, 'OUTCOME_UNKNOWN');
      return final('OUTCOME_UNKNOWN');
    }
    if (isNeedsPerson(error)) {
      recorder.blocked(jobType, attempt, 'manual');
      return final('MANUAL');
    }
    if (isRefusedBefore(error)) return final(error.refusal.category as JobFailureType);
    if (isExpired(error)) {
      recorder.blocked(jobType, attempt, 'expired');
      return final('EXPIRED');
    }
    if (isHeld(error)) {
      const reasons = {
        BREAKER_OPEN: 'circuit_open',
        BUSY: 'duplicate_in_progress',
        STORE_DOWN: 'store_down',
        STORE_UNSAFE: 'store_unsafe',
        NOT_REPLICATED: 'not_replicated',
        VENUE_AWAY: 'venue_away',
      } as const;
      recorder.blocked(jobType, attempt, reasons[error.why]);
      if (error.why !== 'BUSY') return again(error.why, error.waitMs, 'EXPIRED', true);
      // The other one's answer is there long before its claim runs out, and this job must not end otherwise than it does:
      // a look-up follows the record.
      return again('BUSY', Math.min(error.waitMs, backoff), 'OUTCOME_UNKNOWN', true);
    }
    if (isLateToSend(error)) return again('NOT_SENT', backoff, 'NOT_SENT');
    if (isVenueError(error)) {
      const { verdict, failure } = error;
      recorder.failed(jobType, verdict.category);
      const code = failure.code === undefined ? {} : { code: failure.code };
      Object.assign(about, code);
      if (verdict.retry === 'never') return final(verdict.category);
      const delay = verdict.retry === 'after' ? Math.max(verdict.retryAfterMs ?? backoff, 1) : backoff;
      return again(verdict.category, delay, verdict.category);
    }
    log.error({ jobType, ...about, err: error }, 'an attempt failed for a reason that is not known');
    return again('INTERNAL', backoff, 'EXPIRED');
  }
}

/** Async completion and cancellation are no failures; an ApplicationFailure has been classified already. */
function passesUntouched(error: unknown): boolean {
  return (
    error instanceof CompleteAsyncError ||
    error instanceof CancelledFailure ||
    error instanceof ApplicationFailure ||
    (error instanceof Error && error.name === 'AbortError')
  );
}

/** Names of the job for people, also of one whose input was refused. */
export function aboutJob(effect: Effect, given: unknown): { intentId: string; venue: string; code?: number | string } {
  try {
    const { intentId, venue } = effect.read(given).ref;
    return { intentId, venue };
  } catch {
    const { intentId, venue } = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
    return { intentId: String(intentId ?? ''), venue: String(venue ?? '') };
  }
}
