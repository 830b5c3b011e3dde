import { performance } from 'node:perf_hooks';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import type { AttemptOutcome } from '../metrics/catalog';
import type { Runtime } from './runtime';

/** Failures after which nothing was sent: the attempt was kept from acting. */
const HELD = new Set([
  'BREAKER_OPEN',
  'BUSY',
  'STORE_DOWN',
  'VENUE_AWAY',
  'MANUAL',
  'INVALID',
  'LANE',
  'CONFLICT',
  'EXPIRED',
]);

/** Outermost interceptor: counts and times every attempt when it has ended, by the failure that Temporal will see. */
export class MetricsInterceptor implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly runtime: Runtime,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const effect = this.runtime.effects.ofActivity(this.context.info.activityType);
    if (!effect) return next(input);
    const from = performance.now();
    let outcome: AttemptOutcome = 'success';
    try {
      return await next(input);
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      const seconds = (performance.now() - from) / 1_000;
      this.runtime.recorder.attemptEnded(effect.jobType, this.context.info.attempt, outcome, seconds);
    }
  }
}

function outcomeOf(error: unknown): AttemptOutcome {
  if (error instanceof CancelledFailure) return 'cancelled';
  if (error instanceof ApplicationFailure && HELD.has(error.type ?? '')) return 'blocked';
  return 'failure';
}
