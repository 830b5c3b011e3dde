import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { fingerprintOf } from '../src/domain/fingerprint';
import type { LookUpAnswer, LookUpInput } from '../src/domain/job-plan';
import type { OrderState } from '../src/domain/order';
import { parseJobInput, type JobInput } from '../src/domain/order.schema';
import type { Effect, Sighting } from '../src/guard/effect';
import type { Refusal } from '../src/guard/errors';
import type { LookEnd, LookStart, LookVerdict } from '../src/guard/answers';
import type { IntentRef } from '../src/guard/keys';
import { serialiseResult } from '../src/guard/serialise';
import { LateToSendError } from '../src/guard/ticket';
import { activityOwner, keepAlive } from '../src/interceptors/activity-context';
import type { Runtime } from '../src/interceptors/runtime';
import { backoffMs } from '../src/policy/backoff';
import { quiesceMs, venueTimes } from '../src/policy/job-policy';
import { isStoreUnavailable } from '../src/redis/client';
import { lookAt } from './look-at';

/**
 * Asks the venue what became of an act, one look an attempt, until it is known. Reads only, but for the fence of an order
 * that can rest; a repeated look does no harm. Throws a retryable failure that says in words when it looks again.
 */
export function lookUpActivity(runtime: Runtime) {
  return async (request: LookUpInput): Promise<LookUpAnswer> => {
    const context = Context.current();
    const stop = keepAlive(context);
    try {
      return await new LookUp(runtime, context, request).once();
    } catch (error) {
      if (!isStoreUnavailable(error)) throw error;
      throw lookAgain(runtime, context, request, error.message, 2_000);
    } finally {
      stop();
    }
  };
}

class LookUp {
  private readonly input: JobInput;
  private readonly effect: Effect;
  private readonly ref: IntentRef;

  constructor(
    private readonly runtime: Runtime,
    private readonly context: Context,
    private readonly request: LookUpInput,
  ) {
    this.input = parseJobInput(request.jobType, request.input);
    this.effect = runtime.effects[request.jobType];
    this.ref = { venue: this.input.venue, jobType: request.jobType, intentId: this.input.intentId };
  }

  async once(): Promise<LookUpAnswer> {
    const askedAt = performance.now();
    const start = await this.begin();
    switch (start.kind) {
      case 'DONE':
        return this.done(start.payload, start.attempts, start.owner);
      case 'REJECTED':
        return { outcome: 'rejected', ...(start.payload as Refusal) };
      case 'RELEASED':
        return { outcome: 'absent', neverSent: start.neverSent };
      case 'MANUAL':
        return { outcome: 'manual', evidence: evidenceOf(start.evidence) };
      case 'CONFLICT': {
        const message = `intentId: "${this.ref.intentId}" was used before with another payload`;
        return { outcome: 'rejected', category: 'CONFLICT', message };
      }
      case 'BUSY':
        throw this.again('another worker is at it', start.waitMs);
      case 'LOOK':
        return this.look(start, askedAt);
    }
  }

  private begin(): Promise<LookStart> {
    const { run, activity } = activityOwner(this.context);
    const { givenUp } = this.request;
    const { look_up } = this.runtime.config.retry;
    return this.runtime.recorder.guard('look', lookResult, () =>
      this.runtime.guard.lookBegin(this.ref, {
        // The nonce tells this look from an earlier attempt's, which may still be under way.
        looker: `${activity}#${this.context.info.attempt}.${randomBytes(4).toString('hex')}`,
        givenUp: givenUp === undefined ? '' : `${run}/${encodeURIComponent(givenUp)}`,
        fingerprint: fingerprintOf(this.input),
        leaseMs: look_up.start_to_close_seconds * 1_000,
        quiesceMs: this.effect.absence(this.input).quiesceMs,
        mostLooks: look_up.most_looks,
        refusal: this.request.onAbsent === 'fail' ? this.notExecuted() : '',
      }),
    );
  }

  private async look(start: LookStart & { kind: 'LOOK' }, askedAt: number): Promise<LookUpAnswer> {
    const { guard, recorder, log } = this.runtime;
    const absence = this.effect.absence(this.input);
    const confirming =
      start.toQuiescenceMs === 0 &&
      start.absents + 1 >= absence.looks &&
      start.sinceAbsentMs >= absence.gapMs * start.absents;
    const sighting = await lookAt(async () => {
      await this.effect.readyClock(this.input, { again: false });
      return this.effect.lookUp(this.input, { confirming, ageMs: start.ageMs, pass: () => this.pass(askedAt) });
    });
    const verdict = this.verdictOn(sighting, confirming && !start.neverSent);
    const end = await recorder.guard('look', lookResult, () =>
      guard.lookEnd(this.ref, { fence: start.fence, ...verdict, absence }),
    );
    const why = 'evidence' in sighting ? sighting.evidence : sighting.kind;
    switch (end.kind) {
      case 'DONE':
        recorder.sideEffect(this.request.jobType, 'resolved');
        return this.done(JSON.parse(verdict.payload), end.attempts, '');
      case 'REJECTED':
        recorder.sideEffect(this.request.jobType, 'resolved');
        return { outcome: 'rejected', ...(JSON.parse(verdict.payload) as Refusal) };
      case 'RELEASED':
        recorder.sideEffect(this.request.jobType, 'resolved');
        return { outcome: 'absent', neverSent: end.neverSent };
      case 'MANUAL':
        log.error({ ...this.ref, evidence: why }, 'a person must decide what became of this act');
        return { outcome: 'manual', evidence: why };
      case 'AGAIN': {
        const statedMs = 'waitMs' in sighting ? (sighting.waitMs ?? 0) : 0;
        throw this.again(why, end.waitMs, statedMs);
      }
      case 'FENCED':
        // The last sender's own word came in while we looked, or another looker was faster: the record knows more than we do.
        throw this.again('the record has moved on', 200);
    }
  }

  private verdictOn(sighting: Sighting<object>, ends: boolean): { verdict: LookVerdict; payload: string } {
    switch (sighting.kind) {
      case 'found':
        return { verdict: 'found', payload: serialiseResult(sighting.result) };
      case 'refused':
        return { verdict: 'rejected', payload: JSON.stringify(sighting.refusal) };
      case 'absent': {
        // Surely absent from here on: how that ends is written in the same step, so that every caller hears the same.
        const { onAbsent } = this.request;
        if (ends && onAbsent === 'fail') return { verdict: 'rejected', payload: this.notExecuted() };
        const verdict = ends && onAbsent === 'manual' ? 'manual' : 'absent';
        return { verdict, payload: JSON.stringify({ why: sighting.evidence }) };
      }
      case 'contradiction':
        return { verdict: 'manual', payload: JSON.stringify({ why: sighting.evidence }) };
      case 'repeatable':
      case 'inconclusive':
        return { verdict: sighting.kind, payload: JSON.stringify({ why: sighting.evidence }) };
    }
  }

  /**
   * Whether this look may still change something at the venue: a request that leaves now has taken effect before the
   * look's lease is over, by this process's own clock.
   */
  private pass(askedAt: number): void {
    const leaseMs = this.runtime.config.retry.look_up.start_to_close_seconds * 1_000;
    const times = venueTimes(this.runtime.config, this.ref.venue);
    const left = askedAt + leaseMs - performance.now();
    if (left < quiesceMs(times)) throw new LateToSendError('the look took too long to fence what it saw');
  }

  private notExecuted(): string {
    const message =
      `${this.ref.venue} surely did not execute it; an order that fills at once is not sent again, ` +
      'as the price has moved: decide afresh under a new intentId';
    return JSON.stringify({ category: 'NOT_EXECUTED', message } satisfies Refusal);
  }

  private done(payload: unknown, attempts: number, owner: string): LookUpAnswer {
    const { run } = activityOwner(this.context);
    return {
      outcome: 'done',
      result: {
        intentId: this.ref.intentId,
        status: 'done',
        order: payload as OrderState,
        replayed: owner !== '' && !owner.startsWith(`${run}/`),
        attempts: Math.max(attempts, 1),
      },
    };
  }

  private again(why: string, waitMs: number, statedMs = 0): ApplicationFailure {
    return lookAgain(this.runtime, this.context, this.request, why, waitMs, statedMs);
  }
}

/** Says in words what is not known and when the next look is. A venue's own "come back at" (`statedMs`) is kept to. */
function lookAgain(
  runtime: Runtime,
  context: Context,
  request: LookUpInput,
  why: string,
  waitMs: number,
  statedMs = 0,
): ApplicationFailure {
  const { initial_interval_ms: initialMs, maximum_interval_ms: maximumMs } = runtime.config.retry.look_up;
  const backoff = backoffMs(context.info.attempt, { initialMs, maximumMs });
  // Sooner than it could count, too: an order that shows up ends the doubt at once.
  const delayMs = Math.max(waitMs > 0 ? Math.min(waitMs, backoff) : backoff, statedMs, 200);
  const { venue, intentId } = request.input as { venue: string; intentId: string };
  const failure = ApplicationFailure.create({
    type: 'OUTCOME_UNKNOWN',
    message: `answer lost; asking ${venue} whether ${intentId} happened: ${why}; next look in ${Math.ceil(delayMs / 1_000)} s`,
    nextRetryDelay: delayMs,
    category: ApplicationFailureCategory.BENIGN,
  });
  failure.stack = failure.message;
  return failure;
}

function lookResult({ kind }: LookStart | LookEnd): 'ok' | 'busy' | 'manual' | 'conflict' | 'fenced' | 'unknown' {
  const results = { BUSY: 'busy', MANUAL: 'manual', CONFLICT: 'conflict', FENCED: 'fenced', AGAIN: 'unknown' } as const;
  return kind in results ? results[kind as keyof typeof results] : 'ok';
}

function evidenceOf(payload: unknown): string {
  const why = typeof payload === 'object' && payload !== null && 'why' in payload ? payload.why : undefined;
  return typeof why === 'string' ? why : 'no evidence was kept';
}
