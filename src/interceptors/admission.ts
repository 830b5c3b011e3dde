import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import type { Levels } from '../breaker/levels';
import { scopeOf } from '../breaker/scope';
import type { Admission } from '../guard/answers';
import type { Effect, Job } from '../guard/effect';
import {
  ConflictError,
  DoubtError,
  HeldError,
  NeedsPersonError,
  RefusedBeforeError,
  type Refusal,
} from '../guard/errors';
import { endingOf } from '../guard/ending';
import { Ticket, withTicket } from '../guard/ticket';
import { breakerLevels, jobPolicy } from '../policy/job-policy';
import { isStoreUnavailable } from '../redis/client';
import { isVenueError } from '../venues/port';
import { activityOwner, keepAlive } from './activity-context';
import { answerOf } from './answer';
import { probe, tellTurns } from './breaker-act';
import type { Place } from './crowd';
import { enter, held, holdBySnapshot, type Stay } from './held';
import type { Runtime } from './runtime';
import { settle } from './settle';

/** A claim outlives its quiescence by this much, so that it never ends while its request may still act. */
const SETTLE_MARGIN_MS = 2_000;
/** Shorter waits happen inside the attempt: Temporal's timers tick in seconds. */
const LONGEST_INNER_WAIT_MS = 2_000;
const INNER_STEP_MS = 100;
const CLOCK_TRIES = 2;
/** A Redis that cannot be trusted needs a person; its replicas may be back at once. */
const UNSAFE_WAIT_MS = 10_000;
const NOT_REPLICATED_WAIT_MS = 2_000;

/** One act of one attempt: everything that its admission and its settlement need to know. */
export interface Act extends Job {
  effect: Effect;
  /** Ms from asking the guard until no request of the attempt can take effect any more. */
  quiesceMs: number;
  /** What may hold it; never held where it lowers risk. */
  breaker: { levels: Levels; held: boolean; canProbe: boolean };
  /** Its place in the breaker of this process alone. */
  stay: Stay;
}

/** Innermost interceptor: no effect runs without the guard's GO, and what became of it is written down before the answer leaves. */
export class AdmissionInterceptor implements ActivityInboundCallsInterceptor {
  /** Whether this attempt acted, or heard from the guard: from then on a record exists, and its later absence is a loss. */
  private actedOrHeard = false;

  constructor(
    private readonly context: Context,
    private readonly runtime: Runtime,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { effects, config } = this.runtime;
    const effect = effects.ofActivity(this.context.info.activityType);
    if (!effect) return next(input);
    // Bad input is refused here, before anything is claimed or sent.
    const job = effect.read(input.args[0]);
    const { quiesceMs } = effect.absence(job.ref.venue);
    const levels = breakerLevels(config, { jobType: effect.jobType, account: job.account });
    const breaker = { levels, held: effect.heldByBreaker, canProbe: effect.probe !== undefined };
    const act = { ...job, effect, quiesceMs, breaker };
    const { attempt } = this.context.info;
    const stop = keepAlive(this.context);
    let stay: Stay | undefined;
    try {
      stay = enter(this.runtime, act);
      return await this.admitAndRun(
        { ...act, stay },
        (checked) => next({ ...input, args: [checked] }) as Promise<object>,
      );
    } catch (error) {
      // Tells the next attempt that no attempt up to this one has acted or seen a record, should Redis know nothing then.
      if (!this.actedOrHeard && this.earlierKnownUnsent()) {
        this.context.heartbeat({ attempt, sends: 0 });
      } else {
        // Tells the workflow that a worker took it, should the next attempt find none.
        this.context.heartbeat({ attempt });
      }
      throw error;
    } finally {
      stay?.leave();
      stop();
    }
  }

  private async admitAndRun(act: Act, run: (input: unknown) => Promise<object>): Promise<object> {
    await this.readyClock(act, false);
    const place = this.runtime.crowd.join(act.ref);
    try {
      return await this.askAndRun(act, run, place);
    } finally {
      place.leave();
    }
  }

  private async askAndRun(act: Act, run: (input: unknown) => Promise<object>, place: Place): Promise<object> {
    const busyUntil = performance.now() + LONGEST_INNER_WAIT_MS;
    for (let clockTries = 0; ;) {
      this.trustStore(act);
      const askedAt = performance.now();
      let admission: Admission;
      try {
        admission = await this.admit(act);
        this.actedOrHeard = true;
      } catch (error) {
        if (!isStoreUnavailable(error)) {
          // There is a record, of a later version: its absence would be a loss.
          this.actedOrHeard = true;
          throw error;
        }
        return await this.withoutStore(act, run, error);
      }
      if (admission.kind !== 'BUSY') place.leave();
      switch (admission.kind) {
        case 'GO': {
          tellTurns(this.runtime, act.ref.venue, admission.turns);
          if (admission.wouldBlock) this.runtime.recorder.wouldBlock(act.ref.jobType);
          const ticket = this.ticket(act, askedAt, admission.sends);
          const goneAt = performance.now();
          const going =
            admission.missing === '' ? withTicket(ticket, () => run(act.input)) : notReplicated(admission.missing);
          const outcome = await going.then(
            (result) => ({ result }),
            (error: unknown) => ({ error }),
          );
          // A crash before the next line leaves CLAIMED: a later attempt or a look-up finds it and asks the venue.
          const attempts = await settle(this.runtime, act, { ticket, fence: admission.fence, goneAt }, outcome);
          if ('result' in outcome) return answerOf(act.effect, act.ref, outcome.result, { replayed: false, attempts });
          const { error } = outcome;
          const signAgain = isVenueError(error) && error.verdict.category === 'CLOCK' && ++clockTries <= CLOCK_TRIES;
          if (!signAgain) throw error;
          // A clock refusal is definite. The next claim stores its own quiescence before anything is signed again.
          await this.readyClock(act, true);
          continue;
        }
        case 'REPLAY': {
          const mine = admission.owner.startsWith(`${activityOwner(this.context).run}/`);
          this.runtime.recorder.sideEffect(act.ref.jobType, 'replayed');
          const { payload, attempts } = admission;
          return answerOf(act.effect, act.ref, await recalled(act, payload), { replayed: !mine, attempts });
        }
        case 'REJECTED':
          throw new RefusedBeforeError(admission.payload as Refusal);
        case 'BUSY': {
          const mostMs = busyUntil - performance.now();
          if (mostMs > 0) {
            const stepMs = Math.min(admission.waitMs, INNER_STEP_MS);
            await place.wait((ms) => this.context.sleep(ms), { stepMs, mostMs });
            continue;
          }
          throw new HeldError(
            'BUSY',
            'another worker is acting on this intent; its answer will be taken',
            admission.waitMs,
          );
        }
        case 'OPEN': {
          const { waitMs, level, why, turns } = admission;
          tellTurns(this.runtime, act.ref.venue, turns);
          this.runtime.breakerWatch.held(act.ref, level);
          throw held(act, { scope: scopeOf(act.ref.venue, level), why, waitMs });
        }
        case 'PROBE':
          tellTurns(this.runtime, act.ref.venue, admission.turns);
          await probe(this.runtime, act, admission);
          continue;
        case 'UNKNOWN':
          throw new DoubtError(
            `${admission.suspected || 'an earlier answer was lost'}: it is not known whether ${act.ref.intentId} happened`,
          );
        case 'CONFLICT':
          throw new ConflictError(
            `intentId: "${act.ref.intentId}" was used before with another payload; a new decision needs a new intentId`,
          );
        case 'MANUAL':
          throw new NeedsPersonError(`a person must decide what became of ${act.ref.intentId}`);
      }
    }
  }

  private admit(act: Act): Promise<Admission> {
    const { guard, config, recorder } = this.runtime;
    const { info } = this.context;
    const results = {
      GO: 'ok',
      REPLAY: 'replay',
      REJECTED: 'replay',
      BUSY: 'busy',
      UNKNOWN: 'unknown',
      OPEN: 'open',
      PROBE: 'open',
      CONFLICT: 'conflict',
      MANUAL: 'manual',
    } as const;
    return recorder.guard(
      'admit',
      ({ kind }: Admission) => results[kind],
      () =>
        guard.admit(act.ref, {
          owner: {
            activity: activityOwner(this.context).activity,
            attempt: info.attempt,
            nonce: randomBytes(4).toString('hex'),
          },
          fingerprint: act.fingerprint,
          leaseMs: Math.max(act.quiesceMs, act.effect.timeoutMs(act.ref.venue)) + SETTLE_MARGIN_MS,
          quiesceMs: act.quiesceMs,
          knownUnsent: info.attempt > 1 && this.earlierKnownUnsent(),
          mostSends: jobPolicy(config, act.ref.jobType).most_sends,
          replicate: act.effect.whenStoreDown === 'refuse',
          breaker: act.breaker,
        }),
    );
  }

  /** Whether every earlier attempt of this activity is known not to have acted. */
  private earlierKnownUnsent(): boolean {
    const { attempt, heartbeatDetails } = this.context.info;
    const previous = heartbeatDetails as { attempt?: number; sends?: number } | undefined;
    return attempt === 1 || (previous?.sends === 0 && previous.attempt === attempt - 1);
  }

  private ticket(act: Act, askedAt: number, sends: number): Ticket {
    const { effect, input, ref } = act;
    return new Ticket({
      askedAt,
      sendWithinMs: effect.sendWithinMs(ref.venue),
      sends,
      expiresAt: effect.expiresAt(input),
      venueNow: () => effect.venueNow(ref.venue),
    });
  }

  /** Redis is away. What adds risk waits; what acting twice cannot harm goes on, and both are said aloud. */
  private async withoutStore(act: Act, run: (input: unknown) => Promise<object>, cause: Error): Promise<object> {
    const { log } = this.runtime;
    const { attempt } = this.context.info;
    if (act.effect.whenStoreDown === 'proceed') {
      const hold = holdBySnapshot(this.runtime, act);
      if (hold) throw hold;
      this.actedOrHeard = true;
      log.warn(
        { ...act.ref, reason: cause.message },
        'acting without the guard: Redis is away and this act may be repeated',
      );
      const ticket = this.ticket(act, performance.now(), 1);
      try {
        const result = await withTicket(ticket, () => run(act.input));
        act.stay.report('ok', 'maybe');
        this.runtime.recorder.sideEffect(act.ref.jobType, 'unguarded');
        return answerOf(act.effect, act.ref, result, { replayed: false, attempts: attempt });
      } catch (error) {
        act.stay.report(endingOf(error, ticket).health, 'maybe');
        throw error;
      }
    }
    throw new HeldError('STORE_DOWN', `not acted: ${cause.message}`, 2_000, { cause });
  }

  /** Redis answers but may lose claims: what only the guard keeps from happening twice waits until it can be trusted. */
  private trustStore({ effect }: Act): void {
    const { unsafe } = this.runtime.watch;
    if (unsafe === undefined || effect.whenStoreDown === 'proceed') return;
    throw new HeldError('STORE_UNSAFE', `not acted, Redis is not safe: ${unsafe}`, UNSAFE_WAIT_MS);
  }

  private async readyClock(act: Act, again: boolean): Promise<void> {
    try {
      await act.effect.readyClock(act.ref.venue, { again });
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new HeldError('VENUE_AWAY', `not acted: ${act.ref.venue} does not tell its time: ${message}`, 2_000, {
        cause,
      });
    }
  }
}

/** An act that is done is never told as anything else: while its result cannot be had, the look-up goes on asking for it. */
async function recalled({ effect, input }: Act, payload: unknown): Promise<object> {
  try {
    return await effect.recall(input, payload as object);
  } catch (error) {
    throw new DoubtError(`it is done, but not to be read again yet: ${(error as Error).message}`);
  }
}

/** In place of the act: nothing is sent on a claim that a failover may lose. The claim is released as for any such refusal. */
function notReplicated(missing: string): Promise<never> {
  return Promise.reject(new HeldError('NOT_REPLICATED', `not acted: ${missing}`, NOT_REPLICATED_WAIT_MS));
}
