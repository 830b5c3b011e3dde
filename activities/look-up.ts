import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Levels } from '../src/breaker/levels';
import { LOOK_UP_LEVEL, scopeOf } from '../src/breaker/scope';
import { asking, notSentAgain } from '../src/domain/doubt-words';
import type { JobPlan, LookUpAnswer, LookUpInput } from '../src/domain/job-plan';
import type { Effect, Job, Sighting } from '../src/guard/effect';
import type { Refusal } from '../src/guard/errors';
import type { LookEnd, LookStart, LookVerdict } from '../src/guard/answers';
import { serialiseResult } from '../src/guard/serialise';
import { LateToSendError } from '../src/guard/ticket';
import { activityOwner, keepAlive } from '../src/interceptors/activity-context';
import { answerOf } from '../src/interceptors/answer';
import { aloneIn, reported, tellHold, tellTurns } from '../src/interceptors/breaker-act';
import { atMost, stayAt, type Stay } from '../src/interceptors/held';
import type { Runtime } from '../src/interceptors/runtime';
import { backoffMs } from '../src/policy/backoff';
import { breakerLevels, quiesceMs, venueTimes } from '../src/policy/job-policy';
import { isStoreUnavailable } from '../src/redis/client';
import { isVenueError } from '../src/venues/port';
import { closeUnsent } from './close-unsent';
import { knownEffect } from './known-effect';
import { InconclusiveLookError, lookAt } from './look-at';

/**
 * Asks the venue what became of an act, one look an attempt, until it is known. Reads only, but for the fence of an order
 * that can rest; a repeated look does no harm. Throws a retryable failure that says in words when it looks again.
 */
export function lookUpActivity(runtime: Runtime) {
  return async (request: LookUpInput): Promise<LookUpAnswer> => {
    const context = Context.current();
    const effect = knownEffect(runtime, request.jobType);
    const look = new LookUp(runtime, context, request, effect);
    const stop = keepAlive(context);
    try {
      return await look.once();
    } catch (error) {
      if (!isStoreUnavailable(error)) throw error;
      throw look.again(error.message, 2_000);
    } finally {
      stop();
    }
  };
}

class LookUp {
  private readonly job: Job;

  private readonly onAbsent: JobPlan['onAbsent'];

  /** What may hold the look: no breaker of acts. Nothing where nobody out there is asked. */
  private readonly levels: Levels | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly context: Context,
    private readonly request: LookUpInput,
    private readonly effect: Effect,
  ) {
    this.job = effect.read(request.input);
    this.onAbsent = request.onAbsent ?? effect.onAbsent(this.job.input);
    const { account } = this.job;
    this.levels = effect.canLookUp ? breakerLevels(runtime.config, { jobType: LOOK_UP_LEVEL, account }) : undefined;
  }

  async once(): Promise<LookUpAnswer> {
    if (this.request.neverTaken === true) await closeUnsent(this.runtime, this.context, this.job, this.effect);
    const place = { venue: this.job.ref.venue, jobType: LOOK_UP_LEVEL };
    const stay = stayAt(this.runtime, place, this.effect.canLookUp);
    if ('waitMs' in stay) throw this.again(stay.why, 0, stay.waitMs);
    try {
      return await this.ask(stay);
    } finally {
      stay.leave();
    }
  }

  private async ask(stay: Stay): Promise<LookUpAnswer> {
    const askedAt = performance.now();
    const start = await this.begin();
    switch (start.kind) {
      case 'DONE':
        return this.done(await this.recalled(start.payload), start.attempts, start.owner);
      case 'REJECTED':
        return { outcome: 'rejected', ...(start.payload as Refusal) };
      case 'RELEASED':
        return { outcome: 'absent', neverSent: start.neverSent };
      case 'MANUAL':
        return { outcome: 'manual', evidence: evidenceOf(start.evidence) };
      case 'CONFLICT': {
        const message = `intentId: "${this.job.ref.intentId}" was used before with another payload`;
        return { outcome: 'rejected', category: 'CONFLICT', message };
      }
      case 'BUSY':
        throw this.again('another worker is at it', start.waitMs);
      case 'OPEN': {
        const { level, why, waitMs, turns } = start;
        tellTurns(this.runtime, this.job.ref.venue, turns);
        const scope = scopeOf(this.job.ref.venue, level);
        throw this.again(`not asked: breaker ${scope}: ${why}`, 0, atMost(waitMs));
      }
      case 'LOOK':
        tellTurns(this.runtime, this.job.ref.venue, start.turns);
        if (start.wouldBlock) this.runtime.recorder.wouldBlock(LOOK_UP_LEVEL);
        return this.look(start, askedAt, stay);
    }
  }

  private begin(): Promise<LookStart> {
    const { run, activity } = activityOwner(this.context);
    const { givenUp, abandoned } = this.request;
    const { look_up } = this.runtime.config.retry;
    return this.runtime.recorder.guard('look', lookResult, () =>
      this.runtime.guard.lookBegin(this.job.ref, {
        // The nonce tells this look from an earlier attempt's, which may still be under way.
        looker: `${activity}#${this.context.info.attempt}.${randomBytes(4).toString('hex')}`,
        givenUp: abandoned ?? (givenUp === undefined ? '' : `${run}/${encodeURIComponent(givenUp)}`),
        fingerprint: this.job.fingerprint,
        leaseMs: look_up.start_to_close_seconds * 1_000,
        quiesceMs: this.effect.absence(this.job.ref.venue).quiesceMs,
        mostLooks: look_up.most_looks,
        refusal: this.onAbsent === 'resend' ? '' : this.notExecuted(),
        levels: this.levels,
      }),
    );
  }

  private async look(start: LookStart & { kind: 'LOOK' }, askedAt: number, stay: Stay): Promise<LookUpAnswer> {
    const { guard, recorder, log, workerNumbers } = this.runtime;
    const { effect } = this;
    const { input, ref } = this.job;
    const absence = effect.absence(ref.venue);
    const confirming =
      start.toQuiescenceMs === 0 &&
      start.absents + 1 >= absence.looks &&
      start.sinceAbsentMs >= absence.gapMs * start.absents;
    const begunAt = performance.now();
    const { sighting, health, hold } = await lookAt(async () => {
      await effect.readyClock(ref.venue, { again: false }).catch((error: unknown) => {
        if (isVenueError(error)) throw error;
        throw new InconclusiveLookError(`${ref.venue} does not tell its time: ${(error as Error).message}`);
      });
      const { ageMs, looks } = start;
      return effect.lookUp(input, { confirming, ageMs, looks, pass: () => this.pass(askedAt) });
    });
    const verdict = this.verdictOn(sighting, confirming && !start.neverSent);
    const elapsedMs = performance.now() - begunAt;
    const { levels } = this;
    const breaker = levels && { ...reported({ levels }, workerNumbers.at(ref.venue), health, hold), elapsedMs };
    const end = await recorder.guard('look', lookResult, () =>
      guard.lookEnd(ref, { fence: start.fence, ...verdict, absence, breaker }),
    );
    stay.report(health, aloneIn(health, end));
    tellTurns(this.runtime, ref.venue, end.turns);
    if (hold) tellHold(this.runtime, ref, hold);
    const why = 'evidence' in sighting ? sighting.evidence : sighting.kind;
    switch (end.kind) {
      case 'DONE':
        recorder.sideEffect(ref.jobType, 'resolved');
        return this.done('result' in sighting ? sighting.result : {}, end.attempts, '');
      case 'REJECTED':
        recorder.sideEffect(ref.jobType, 'resolved');
        return { outcome: 'rejected', ...(JSON.parse(verdict.payload) as Refusal) };
      case 'RELEASED':
        recorder.sideEffect(ref.jobType, 'resolved');
        return { outcome: 'absent', neverSent: end.neverSent };
      case 'MANUAL':
        log.error({ ...ref, evidence: why }, 'a person must decide what became of this act');
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
        return { verdict: 'found', payload: serialiseResult(this.effect.keep(sighting.result)) };
      case 'refused':
        return { verdict: 'rejected', payload: JSON.stringify(sighting.refusal) };
      case 'absent': {
        // Surely absent from here on: how that ends is written in the same step, so that every caller hears the same.
        const { onAbsent } = this;
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
    const times = venueTimes(this.runtime.config, this.job.ref.venue);
    const left = askedAt + leaseMs - performance.now();
    if (left < quiesceMs(times)) throw new LateToSendError('the look took too long to fence what it saw');
  }

  private notExecuted(): string {
    const message = notSentAgain(this.job.ref);
    return JSON.stringify({ category: 'NOT_EXECUTED', message } satisfies Refusal);
  }

  private async recalled(payload: unknown): Promise<object> {
    try {
      return await this.effect.recall(this.job.input, payload as object);
    } catch (error) {
      throw this.again(`it is done, but not to be read again yet: ${(error as Error).message}`, 0);
    }
  }

  private done(result: object, attempts: number, owner: string): LookUpAnswer {
    const { run } = activityOwner(this.context);
    const replayed = owner !== '' && !owner.startsWith(`${run}/`);
    const times = { replayed, attempts: Math.max(attempts, 1) };
    return { outcome: 'done', result: answerOf(this.effect, this.job.ref, result, times) };
  }

  /** Says in words what is not known and when the next look is. A venue's own "come back at" (`statedMs`) is kept to. */
  again(why: string, waitMs: number, statedMs = 0): ApplicationFailure {
    const { initial_interval_ms: initialMs, maximum_interval_ms: maximumMs } = this.runtime.config.retry.look_up;
    const backoff = backoffMs(this.context.info.attempt, { initialMs, maximumMs });
    // Sooner than it could count, too: an act that shows up ends the doubt at once.
    const delayMs = Math.max(waitMs > 0 ? Math.min(waitMs, backoff) : backoff, statedMs, 200);
    const failure = ApplicationFailure.create({
      type: 'OUTCOME_UNKNOWN',
      message: `answer lost; ${asking(this.job.ref)}: ${why}; next look in ${Math.ceil(delayMs / 1_000)} s`,
      nextRetryDelay: delayMs,
      category: ApplicationFailureCategory.BENIGN,
    });
    failure.stack = failure.message;
    return failure;
  }
}

const RESULTS = {
  BUSY: 'busy',
  OPEN: 'open',
  MANUAL: 'manual',
  CONFLICT: 'conflict',
  FENCED: 'fenced',
  AGAIN: 'unknown',
} as const;

function lookResult({ kind }: LookStart | LookEnd): 'ok' | (typeof RESULTS)[keyof typeof RESULTS] {
  return kind in RESULTS ? RESULTS[kind as keyof typeof RESULTS] : 'ok';
}

function evidenceOf(payload: unknown): string {
  const why = typeof payload === 'object' && payload !== null && 'why' in payload ? payload.why : undefined;
  return typeof why === 'string' ? why : 'no evidence was kept';
}
