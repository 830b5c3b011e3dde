import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { fingerprintOf } from '../src/domain/fingerprint';
import type { LookUpAnswer, LookUpInput } from '../src/domain/job-plan';
import type { OrderResult, OrderState } from '../src/domain/order';
import { parseJobInput } from '../src/domain/order.schema';
import type { Sighting } from '../src/guard/effect';
import type { Refusal } from '../src/guard/errors';
import type { LookEnd, LookStart, LookVerdict } from '../src/guard/guard';
import { serialiseResult } from '../src/guard/serialise';
import { activityOwner, keepAlive } from '../src/interceptors/activity-context';
import type { Runtime } from '../src/interceptors/runtime';
import { backoffMs } from '../src/policy/backoff';

const VERDICTS: Record<Sighting<unknown>['kind'], LookVerdict> = {
  found: 'found',
  absent: 'absent',
  inconclusive: 'inconclusive',
  contradiction: 'manual',
};

/**
 * Asks the venue what became of an act, one look an attempt, until it is known. Reads only, but for the fence of an order
 * that can rest; a repeated look does no harm. Throws a retryable failure that says in words when it looks again.
 */
export function lookUpActivity(runtime: Runtime) {
  return async (request: LookUpInput): Promise<LookUpAnswer> => {
    const context = Context.current();
    const stop = keepAlive(context);
    try {
      return await lookOnce(runtime, context, request);
    } finally {
      stop();
    }
  };
}

async function lookOnce(runtime: Runtime, context: Context, request: LookUpInput): Promise<LookUpAnswer> {
  const { guard, config, recorder } = runtime;
  const { jobType } = request;
  const input = parseJobInput(jobType, request.input);
  const effect = runtime.effects[jobType];
  const ref = { venue: input.venue, jobType, intentId: input.intentId };
  const { run, activity } = activityOwner(context);
  const look = config.retry.look_up;
  const absence = effect.absence(input);

  const again = (waitMs: number, why: string): ApplicationFailure => {
    const backoff = backoffMs(context.info.attempt, {
      initialMs: look.initial_interval_ms,
      maximumMs: look.maximum_interval_ms,
    });
    const delayMs = Math.max(Math.min(waitMs > 0 ? waitMs : backoff, look.maximum_interval_ms), 200);
    const failure = ApplicationFailure.create({
      type: 'OUTCOME_UNKNOWN',
      message: `answer lost; asking ${ref.venue} whether ${ref.intentId} happened: ${why}; next look in ${Math.ceil(delayMs / 1_000)} s`,
      nextRetryDelay: delayMs,
      category: ApplicationFailureCategory.BENIGN,
    });
    failure.stack = failure.message;
    return failure;
  };
  const done = (payload: unknown, attempts: number, owner: string): LookUpAnswer => {
    const result: OrderResult = {
      intentId: ref.intentId,
      status: 'done',
      order: payload as OrderState,
      replayed: owner !== '' && !owner.startsWith(`${run}/`),
      attempts: Math.max(attempts, 1),
    };
    return { outcome: 'done', result };
  };

  try {
    await effect.readyClock(input, { again: false });
  } catch (error) {
    throw again(0, `${ref.venue} does not tell its time: ${(error as Error).message}`);
  }
  const start = await recorder.guard('look', lookResult, () =>
    guard.lookBegin(ref, {
      looker: activity,
      givenUp: request.givenUp === undefined ? '' : `${run}/${encodeURIComponent(request.givenUp)}`,
      fingerprint: fingerprintOf(input),
      leaseMs: look.start_to_close_seconds * 1_000,
      quiesceMs: absence.quiesceMs,
    }),
  );
  switch (start.kind) {
    case 'DONE':
      return done(start.payload, start.attempts, start.owner);
    case 'REJECTED':
      return { outcome: 'rejected', ...(start.payload as Refusal) };
    case 'RELEASED':
      return { outcome: 'absent' };
    case 'MANUAL':
      return { outcome: 'manual', evidence: evidenceOf(start.evidence) };
    case 'CONFLICT':
      return {
        outcome: 'rejected',
        category: 'CONFLICT',
        message: `intentId: "${ref.intentId}" was used with another payload`,
      };
    case 'BUSY':
      throw again(start.waitMs, 'another worker is at it');
    case 'LOOK':
      break;
  }

  const confirming =
    start.toQuiescenceMs === 0 &&
    start.absents + 1 >= absence.looks &&
    start.sinceAbsentMs >= absence.gapMs * start.absents;
  const sighting = await effect.lookUp(input, { confirming, ageMs: start.ageMs });
  const forPerson = confirming && sighting.kind === 'absent' && request.absentNeedsPerson === true;
  const payload =
    sighting.kind === 'found' ? serialiseResult(sighting.result) : JSON.stringify({ why: sighting.evidence });
  const end = await recorder.guard('look', lookResult, () =>
    guard.lookEnd(ref, {
      fence: start.fence,
      verdict: forPerson ? 'manual' : VERDICTS[sighting.kind],
      payload,
      absence,
      mostLooks: look.most_looks,
    }),
  );
  const why = sighting.kind === 'found' ? 'found' : sighting.evidence;
  switch (end.kind) {
    case 'DONE':
      recorder.sideEffect(jobType, 'resolved');
      return done(sighting.kind === 'found' ? sighting.result : undefined, end.attempts, '');
    case 'RELEASED':
      recorder.sideEffect(jobType, 'resolved');
      return { outcome: 'absent' };
    case 'MANUAL':
      runtime.log.error({ ...ref, evidence: why }, 'a person must decide what became of this act');
      return { outcome: 'manual', evidence: why };
    case 'AGAIN':
      throw again(end.waitMs, why);
    case 'REJECTED':
    case 'FENCED':
      // The last sender's own word came in while we looked, or another looker was faster: the record knows more than we do.
      throw again(200, 'the record has moved on');
  }
}

function lookResult({ kind }: LookStart | LookEnd): 'ok' | 'busy' | 'manual' | 'conflict' | 'fenced' | 'unknown' {
  const results = { BUSY: 'busy', MANUAL: 'manual', CONFLICT: 'conflict', FENCED: 'fenced', AGAIN: 'unknown' } as const;
  return kind in results ? results[kind as keyof typeof results] : 'ok';
}

function evidenceOf(payload: unknown): string {
  const why = typeof payload === 'object' && payload !== null && 'why' in payload ? payload.why : undefined;
  return typeof why === 'string' ? why : 'no evidence was kept';
}
