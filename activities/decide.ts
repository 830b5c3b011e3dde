import { createHash } from 'node:crypto';
import type { Resolution } from '../src/domain/job-plan';
import { InvalidInputError } from '../src/domain/order.schema';
import type { Effect, Look, Sighting } from '../src/guard/effect';
import type { Guard } from '../src/guard/guard';
import type { IntentRef } from '../src/guard/keys';
import { serialiseResult } from '../src/guard/serialise';
import { LateToSendError } from '../src/guard/ticket';
import { lookAt } from './look-at';

/** What a person's decision led to. `late`: the record had been resolved otherwise before it came. */
export type Decided =
  | { kind: 'done'; result: object; attempts: number }
  | { kind: 'absent' }
  | { kind: 'rejected'; message: string }
  | { kind: 'late'; state: string };

/** The act that is decided on, where it is known well enough to be looked up. */
export interface KnownAct {
  effect: Effect;
  input: unknown;
}

/**
 * Writes a person's decision into the record, with its audit row, in one step. The venue is asked first: a decision that it
 * contradicts, or that it cannot confirm, is refused with what it shows, and taken only when it comes again with the code of
 * that refusal. Of an act that happened the effect tells the result, so that it is the venue's and not somebody's memory.
 *
 * @throws InvalidInputError that says why a decision is not taken.
 */
export async function decide(
  guard: Guard,
  ref: IntentRef,
  act: KnownAct | undefined,
  resolution: Resolution,
): Promise<Decided> {
  const { decision, actor, reason } = resolution;
  const record = await guard.record(ref);
  if (record?.state !== 'MANUAL') return { kind: 'late', state: record?.state ?? 'ABSENT' };
  const message = `${actor} decided that it was refused: ${reason}`;
  let payload = JSON.stringify({ category: 'RESOLVED_REJECTED', message, why: reason });
  let result: object = {};
  let venueShows = 'the decision names what happened';
  if (decision === 'done') {
    result = act ? await act.effect.decided(act.input, resolution, await lookOf(guard, record)) : told(resolution);
    payload = keptText(act ? act.effect.keep(result) : result);
  } else {
    const { sighting }: { sighting: Sighting<object> } = act
      ? await lookAt(async () => {
          if (!act.effect.canLookUp) return { kind: 'absent', evidence: 'nothing can be looked up' };
          await act.effect.readyClock(ref.venue, { again: false });
          return act.effect.lookUp(act.input, await lookOf(guard, record));
        })
      : { sighting: { kind: 'inconclusive', evidence: 'what to look for is not known any more' } };
    venueShows = inWords(ref, sighting);
    const objects = !['absent', 'refused', 'repeatable'].includes(sighting.kind);
    const code = codeOf(record.fence, decision, sighting);
    if (objects && resolution.confirm !== code) {
      const again = `if "${decision}" is right all the same, give it again with confirm "${code}"`;
      throw new InvalidInputError('resolve', [`decision: not taken: ${venueShows}; ${again}`]);
    }
  }
  const outcome = await guard.resolve(ref, { decision, payload, actor, reason, venueShows });
  if (outcome.kind === 'EARLY') {
    const seconds = Math.ceil(outcome.waitMs / 1_000);
    const early = `decision: too early for "absent": its last request may still take effect for ${seconds} s`;
    throw new InvalidInputError('resolve', [early]);
  }
  if (outcome.kind === 'REFUSED') return { kind: 'late', state: outcome.state };
  if (decision === 'done') return { kind: 'done', result, attempts: Math.max(outcome.attempts, 1) };
  return decision === 'absent' ? { kind: 'absent' } : { kind: 'rejected', message };
}

/** A look on a person's behalf: it may change nothing. */
async function lookOf(guard: Guard, { createdAt, looks }: { createdAt: number; looks: number }): Promise<Look> {
  const pass = (): never => {
    throw new LateToSendError('a decision is being taken: this look may change nothing');
  };
  return { confirming: false, ageMs: (await guard.now()) - createdAt, looks, pass };
}

function keptText(kept: object): string {
  try {
    return serialiseResult(kept);
  } catch (error) {
    throw new InvalidInputError('resolve', [(error as Error).message]);
  }
}

function told({ result }: Resolution): object {
  if (result !== undefined) return result;
  throw new InvalidInputError('resolve', [
    'decision: "done" needs what the act was given, so that its result can be looked up, or that result itself',
  ]);
}

function inWords({ venue }: IntentRef, sighting: Sighting<object>): string {
  switch (sighting.kind) {
    case 'found':
      return `${venue} shows that it happened: ${JSON.stringify(sighting.result).slice(0, 300)}`;
    case 'contradiction':
      return `${venue} shows what does not fit: ${sighting.evidence}`;
    case 'inconclusive':
      return `${venue} could not tell: ${sighting.evidence}`;
    case 'refused':
      return `${venue} shows that it was refused: ${sighting.refusal.message}`;
    case 'absent':
    case 'repeatable':
      return sighting.evidence;
  }
}

/** Short, to be typed; another one as soon as the venue shows something else. */
function codeOf(fence: string, decision: string, sighting: Sighting<object>): string {
  const shown = sighting.kind === 'found' ? sighting.result : sighting.kind;
  return createHash('sha256')
    .update(JSON.stringify([fence, decision, shown]))
    .digest('hex')
    .slice(0, 6);
}
