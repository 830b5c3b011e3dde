import type { Resolution } from '../src/domain/job-plan';
import { fingerprintOfJson } from '../src/domain/fingerprint';
import { BOOKS, INTENT_ID_PATTERN, INTENT_ID_RULE } from '../src/domain/job-types';
import { InvalidInputError } from '../src/domain/order.schema';
import type { Effect, Job, Look, Sighting } from '../src/guard/effect';
import { isLateToSend, type Ticket } from '../src/guard/ticket';
import { isVenueError } from '../src/venues/port';
import { defineEffect, type EffectDefinition } from './define-effect';
import type { EffectDeps } from './effect-deps';
import { lookAt } from './look-at';
import { isObject, ownLook } from './own-look';
import { outcomeUnknown } from './own-outcomes';

/** An effect that people defined, as the guard and the interceptors know effects. */
export function ownEffect(definition: EffectDefinition, deps: EffectDeps): Effect {
  // Who writes JavaScript may hand over what never went through it.
  const { jobType, whenUnknown, whenStoreDown, heldByBreaker = true } = defineEffect(definition);
  const policy = deps.policy(jobType);

  return {
    jobType,
    activity: jobType,
    venues: definition.scope ? [BOOKS, ...deps.venues] : [BOOKS],
    resultName: 'result',
    read: (given) => read(definition, deps, given),
    run: ownRun(definition, deps),
    canLookUp: typeof whenUnknown === 'object',
    lookUp: (input, look) => lookUp(definition, policy, input, look),
    keep: (result) => result,
    recall: (_input, kept) => Promise.resolve(kept),
    onAbsent: () => (typeof whenUnknown === 'object' && whenUnknown.onAbsent === 'fail' ? 'fail' : 'resend'),
    decided: (input, resolution, look) => decided(definition, input, resolution, look),
    absence: (venue) => {
      const usual = deps.absence(venue);
      if (typeof whenUnknown === 'string') return usual;
      const { quiesceMs, looks = usual.looks, gapMs = usual.gapMs } = whenUnknown;
      return { quiesceMs: deps.times(venue).sendWithinMs + quiesceMs, looks, gapMs };
    },
    sendWithinMs: (venue) => deps.times(venue).sendWithinMs,
    timeoutMs: () => policy.start_to_close_seconds * 1_000,
    whenStoreDown,
    heldByBreaker,
    expiresAt: () => undefined,
    lifeMs: () => undefined,
    venueNow: () => Date.now(),
    readyClock: () => Promise.resolve(),
  };
}

function read(definition: EffectDefinition, deps: EffectDeps, given: unknown): Job {
  const { jobType } = definition;
  const refused = (problem: string): InvalidInputError => new InvalidInputError(jobType, [problem]);
  /** Takes something from the input by a function of theirs; what it throws is the input's fault. */
  const take = <T>(field: string, from: () => T): T => {
    let value: T;
    try {
      value = from();
    } catch (error) {
      throw new InvalidInputError(jobType, problemsIn(error, field));
    }
    if (!(value instanceof Promise)) return value;
    // Nobody waits for it: should it fail, that must not end the process.
    value.catch(() => undefined);
    throw refused(`${field}: must be told at once, not by a promise`);
  };
  if (!isObject(given)) throw refused('input: must be one object');
  const input = take('input', () => definition.parse?.(given) ?? given);
  const intentId: unknown = take('intentId', () => definition.intentId(input));
  if (typeof intentId !== 'string' || !INTENT_ID_PATTERN.test(intentId))
    throw refused(`intentId: ${JSON.stringify(intentId) ?? 'nothing'} ${INTENT_ID_RULE}`);
  const venue: unknown = take('scope', () => definition.scope?.(input) ?? BOOKS);
  if (typeof venue !== 'string') throw refused(`scope: must be a configured venue or ${BOOKS}`);
  if (venue !== BOOKS) deps.checkVenue(venue, 'scope');
  const where = venue === BOOKS ? '' : ` on ${venue}`;
  const ref = { venue, jobType, intentId };
  return { ref, input, given, fingerprint: fingerprintOfJson(given), summary: `${jobType} ${intentId}${where}` };
}

/** A schema library tells each field; anything else that was thrown has a message. */
function problemsIn(error: unknown, field: string): string[] {
  const { issues } = (error ?? {}) as { issues?: unknown };
  if (!Array.isArray(issues)) return [`${field}: ${error instanceof Error ? error.message : String(error)}`];
  return issues.map(({ path, message }: { path?: unknown[]; message?: unknown }) => {
    const name = path?.map(String).join('.') || field;
    return `${name}: ${String(message)}`;
  });
}

/**
 * Runs what people wrote. An error before `pass()` and one after a send without any `pass()` look the same from here: so
 * whatever does not say itself that nothing happened is a doubt.
 */
function ownRun(definition: EffectDefinition, deps: EffectDeps): Effect['run'] {
  const { jobType, whenUnknown } = definition;
  let told = whenUnknown === 'repeat';
  return async (input: unknown, ticket: Ticket): Promise<object> => {
    ticket.check();
    let result: unknown;
    try {
      result = await definition.run(input, { pass: () => ticket.pass() });
    } catch (error) {
      if (isVenueError(error) || (isLateToSend(error) && !ticket.left)) throw error;
      throw outcomeUnknown(error);
    }
    if (!ticket.left && !told) {
      told = true;
      const message = 'run never called ticket.pass(): held up on its way, it may act after others took it for absent';
      deps.log.error({ jobType }, message);
    }
    if (isObject(result)) return result;
    throw outcomeUnknown(new TypeError('run answered no object: it acted, but what came of it cannot be told'));
  };
}

async function lookUp(
  definition: EffectDefinition,
  policy: { initial_interval_ms: number; maximum_interval_ms: number },
  input: unknown,
  look: Look,
): Promise<Sighting<object>> {
  const { whenUnknown, jobType } = definition;
  if (whenUnknown === 'manual') return { kind: 'contradiction', evidence: `${jobType} cannot be looked up` };
  if (whenUnknown === 'repeat') {
    const evidence = 'doing it twice does no harm: it is done again';
    if (look.looks > 1) return { kind: 'repeatable', evidence };
    // Not at once: what fails every time would spend all its sends within a second. As long again as it has taken so far.
    const waitMs = Math.min(Math.max(look.ageMs, policy.initial_interval_ms), policy.maximum_interval_ms);
    return { kind: 'inconclusive', evidence, waitMs };
  }
  const sighting = await ownLook(definition, input, look);
  const isForPerson = sighting.kind === 'absent' && look.confirming && whenUnknown.onAbsent === 'manual';
  return isForPerson ? { kind: 'contradiction', evidence: sighting.evidence } : sighting;
}

/** What an act that a person says happened came to: as that person knows it, else as the look-up finds it. */
async function decided(
  definition: EffectDefinition,
  input: unknown,
  { result }: Resolution,
  look: Look,
): Promise<object> {
  const refused = (problem: string): InvalidInputError => new InvalidInputError('resolve', [`result: ${problem}`]);
  if (result !== undefined) {
    if (isObject(result)) return result;
    throw refused('must be one object, what the act would have answered');
  }
  if (!definition.lookup)
    throw refused('missing: this effect cannot be looked up, so say what the act answered, as one JSON object');
  const { sighting } = await lookAt(() => ownLook(definition, input, look));
  if (sighting.kind === 'found') return sighting.result;
  const why = 'evidence' in sighting ? sighting.evidence : sighting.refusal.message;
  throw refused(`missing, and the look-up did not find it (${why}): say what the act answered, as one JSON object`);
}
