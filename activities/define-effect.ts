import { isJobType, isWellFormedJobType, JOB_TYPE_RULE } from '../src/domain/job-types';
import type { Look, Sighting } from '../src/guard/effect';

/** What to do when the answer got lost, so that nobody knows whether the act happened. */
export type WhenUnknown =
  /** Asks nobody: a person decides. For what cannot be looked up; without a person it happens at most once. */
  | 'manual'
  /** Does it again. Only for acts that do no harm when they happen twice. */
  | 'repeat'
  /** Asks `lookup` until it is known. */
  | {
      /** What to do about an act that is surely absent: send it again, end as NOT_EXECUTED, or let a person decide. */
      onAbsent: 'resend' | 'fail' | 'manual';
      /** Ms after it has left within which a request may still take effect: before that, "absent" proves nothing. */
      quiesceMs: number;
      /** Looks that must agree on "absent". Default: `retry.look_up.agreeing_looks`. */
      looks?: number;
      /** Ms between the starts of agreeing looks. Default: `retry.look_up.gap_ms`. */
      gapMs?: number;
    };

/** The right to act once. */
export interface EffectTicket {
  /** Call it right before the first byte leaves. Throws when the act must not leave any more: the attempt was held up too long. */
  pass(): void;
}

/** An effect of your own: an act on the outside world that must not happen twice. */
export interface EffectDefinition<Input = unknown, Result extends object = object> {
  /** Its kind, like `payout.send`: the name of its activity, and the unit of breaker, policy and metrics. */
  jobType: string;
  /** Checks what a caller gave before anything is touched, e.g. `schema.parse`. Default: takes it as it is. */
  parse?(input: unknown): Input;
  /** The caller's name for this decision, `[A-Za-z0-9._:-]{1,64}`: from the input, never from a run, an attempt or a clock. */
  intentId(input: Input): string;
  /** What it concerns: a configured venue, or `books`, the default. Breaker, task queue and Redis slot are by scope. */
  scope?(input: Input): string;
  whenUnknown: WhenUnknown;
  /** While Redis is away: wait (`refuse`), or act without the guard (`proceed`), where something else guards it. */
  whenStoreDown: 'refuse' | 'proceed';
  /** Whether the breaker of its job type may hold it. Default true. */
  heldByBreaker?: boolean;
  /** Asks what became of the act. Needed where `whenUnknown` looks up, and only there. Whatever it throws proves nothing. */
  lookup?(input: Input, look: Look): Promise<Sighting<Result>>;
  /**
   * Acts, once, and answers with a plain JSON object. Whatever it throws means that nobody knows whether it happened, but for
   * `refused(…)`, `notApplied(…)` and what `ticket.pass()` throws.
   */
  run(input: Input, ticket: EffectTicket): Promise<Result>;
}

const WHEN_UNKNOWN = `say what to do when the answer is lost and nobody knows whether it happened:
    { onAbsent: 'resend', quiesceMs }  asks lookup; what is surely absent is sent again
    { onAbsent: 'fail', quiesceMs }    asks lookup; what is surely absent ends as NOT_EXECUTED
    { onAbsent: 'manual', quiesceMs }  asks lookup; what is surely absent waits for a person
    'manual'                           asks nobody; a person decides (for what cannot be looked up)
    'repeat'                           does it again (only for what does no harm when it happens twice)
  quiesceMs: ms after it has left within which a request may still take effect`;
const WHEN_STORE_DOWN = `say what to do while Redis, and with it the guard, is away:
    'refuse'   waits until it is back (for what must not happen twice)
    'proceed'  acts without it (for what something else keeps from happening twice, or what does no harm then)`;

/**
 * Declares an effect of your own. Give it to `createFillsafePlugin({ ownEffects: [it] })` and call it from any workflow by its
 * job type: `proxyActivities<…>(…)['payout.send'](input)`. It then goes the same way as `placeOrder`.
 *
 * Throws a `TypeError` that names what is missing or wrong: an effect that nobody has told what to do in doubt does not start.
 */
export function defineEffect<Input, Result extends object>(
  definition: EffectDefinition<Input, Result>,
): EffectDefinition<Input, Result> {
  const { jobType } = definition;
  const problems = isJobType(jobType)
    ? [`jobType: "${jobType}" is fillsafe's own, choose another name`]
    : isWellFormedJobType(jobType)
      ? problemsOf(definition)
      : [`jobType: "${String(jobType)}" ${JOB_TYPE_RULE}`];
  if (problems.length > 0) {
    const name = isWellFormedJobType(jobType) ? jobType : 'an effect';
    throw new TypeError(`${name} cannot be defined:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
  return definition;
}

/** People write JavaScript too: nothing here is taken for granted. */
function problemsOf<Input, Result extends object>(definition: EffectDefinition<Input, Result>): string[] {
  const { whenUnknown, whenStoreDown, lookup, heldByBreaker } = definition;
  const problems: string[] = [];
  for (const name of ['intentId', 'run'] as const)
    if (typeof definition[name] !== 'function') problems.push(`${name}: missing, must be a function`);
  for (const name of ['parse', 'scope', 'lookup'] as const)
    if (definition[name] !== undefined && typeof definition[name] !== 'function')
      problems.push(`${name}: must be a function`);
  const looksUp = typeof whenUnknown === 'object' && whenUnknown !== null;
  if (looksUp) problems.push(...lookUpProblems(whenUnknown));
  else if (whenUnknown !== 'manual' && whenUnknown !== 'repeat')
    problems.push(`whenUnknown: ${missing(whenUnknown)}, ${WHEN_UNKNOWN}`);
  if (looksUp && lookup === undefined)
    problems.push(`lookup: missing, whenUnknown needs it: (input, look) => what became of the act`);
  if (!looksUp && lookup !== undefined && typeof whenUnknown === 'string')
    problems.push(`lookup: whenUnknown: '${whenUnknown}' would never ask it; ${WHEN_UNKNOWN}`);
  if (whenStoreDown !== 'refuse' && whenStoreDown !== 'proceed')
    problems.push(`whenStoreDown: ${missing(whenStoreDown)}, ${WHEN_STORE_DOWN}`);
  if (heldByBreaker !== undefined && typeof heldByBreaker !== 'boolean')
    problems.push('heldByBreaker: must be true or false');
  return problems;
}

function lookUpProblems(policy: Exclude<WhenUnknown, string>): string[] {
  const problems: string[] = [];
  if (!['resend', 'fail', 'manual'].includes(policy.onAbsent))
    problems.push(`whenUnknown.onAbsent: ${missing(policy.onAbsent)}, ${WHEN_UNKNOWN}`);
  const number = (name: 'quiesceMs' | 'looks' | 'gapMs', least: number, what: string): void => {
    const value: unknown = policy[name];
    if (value === undefined && name !== 'quiesceMs') return;
    if (!Number.isSafeInteger(value) || (value as number) < least)
      problems.push(`whenUnknown.${name}: ${missing(value)}, must be a whole number from ${least} on: ${what}`);
  };
  number('quiesceMs', 0, 'ms after it has left within which a request may still take effect');
  number('looks', 1, 'looks that must agree on "absent"');
  number('gapMs', 0, 'ms between the starts of agreeing looks');
  return problems;
}

function missing(value: unknown): string {
  return value === undefined ? 'missing' : `${JSON.stringify(value) ?? String(value)} is not known`;
}
