import { performance } from 'node:perf_hooks';
import type { Hold, VenueHealth } from '../breaker/report';
import type { Ending, Settlement } from '../guard/answers';
import { endingOf } from '../guard/ending';
import { DoubtError } from '../guard/errors';
import { serialiseResult } from '../guard/serialise';
import type { Ticket } from '../guard/ticket';
import { isStoreUnavailable } from '../redis/client';
import type { Act } from './admission';
import { aloneIn, reported, tellHold, tellTurns } from './breaker-act';
import type { Runtime } from './runtime';

type Outcome = { result: object } | { error: unknown };

/**
 * Writes down how an act ended; answers the number of attempts it took.
 *
 * Throws a `DoubtError` when the end is a doubt, or when the record has meanwhile come to another end than this act.
 * When Redis is away the answer is not held back: Temporal will have the result and not ask again, and the outbox goes on
 * settling.
 */
export async function settle(
  runtime: Runtime,
  act: Act,
  { ticket, fence, goneAt }: { ticket: Ticket; fence: string; goneAt: number },
  outcome: Outcome,
): Promise<number> {
  const { ending, health, hold, payload, why } = endingFor(act, ticket, outcome);
  if (ending === 'done') runtime.recorder.sideEffect(act.ref.jobType, 'executed');
  if (ending === 'doubt') runtime.recorder.sideEffect(act.ref.jobType, 'unknown');
  const attempts = await write(runtime, act, { fence, ending, payload, health, hold, goneAt }, outcome);
  if (ending !== 'doubt') return attempts;
  throw new DoubtError(`answer lost: ${why}`, {
    cause: 'error' in outcome ? outcome.error : undefined,
  });
}

async function write(
  runtime: Runtime,
  act: Act,
  end: {
    fence: string;
    ending: Ending;
    payload: string;
    health: VenueHealth;
    hold: Hold | undefined;
    goneAt: number;
  },
  outcome: Outcome,
): Promise<number> {
  const { goneAt, health, hold, ...request } = end;
  const tookMs = performance.now() - goneAt;
  const send = (): Promise<Settlement> =>
    runtime.guard.settle(act.ref, {
      ...request,
      elapsedMs: performance.now() - goneAt,
      tookMs,
      quiesceMs: act.quiesceMs,
      breaker: reported(act.breaker, runtime.workerNumbers.at(act.ref.venue), health, hold),
    });
  let settlement: Settlement;
  try {
    settlement = await runtime.recorder.guard(
      'settle',
      ({ kind }: Settlement) => (kind === 'OK' ? 'ok' : 'fenced'),
      send,
    );
  } catch (error) {
    if (!isStoreUnavailable(error)) throw error;
    runtime.log.error(
      { ...act.ref, ending: end.ending, reason: error.message },
      'Redis did not take how an act ended; trying on',
    );
    act.stay.report(health, 'maybe');
    runtime.outbox.add(async () => {
      const late = await send();
      tellTurns(runtime, act.ref.venue, late.turns);
      // Its caller has had the answer: only who watches can still hear of it.
      if (late.kind === 'FENCED' && end.ending === 'done' && 'result' in outcome)
        tellMishap(runtime, act, outcome.result, late);
    });
    return 1;
  }
  act.stay.report(health, aloneIn(health, settlement));
  tellTurns(runtime, act.ref.venue, settlement.turns);
  if (hold) tellHold(runtime, act.ref, hold);
  if (settlement.kind === 'FENCED') return fenced(runtime, act, end.ending, outcome, settlement);
  if (end.ending === 'done') runtime.watch.ended(act.ref);
  return settlement.attempts;
}

function endingFor(
  { effect }: Act,
  ticket: Ticket,
  outcome: Outcome,
): { ending: Ending; health: VenueHealth; hold?: Hold | undefined; payload: string; why: string } {
  if ('error' in outcome) {
    const { ending, health, hold, refusal } = endingOf(outcome.error, ticket);
    const why = refusal.message;
    return { ending, health, hold, payload: JSON.stringify(ending === 'doubt' ? { why } : refusal), why };
  }
  try {
    return { ending: 'done', health: 'ok', payload: serialiseResult(effect.keep(outcome.result)), why: '' };
  } catch (error) {
    // The act happened, but its result cannot be kept: a look-up brings one that can.
    const why = (error as Error).message;
    return { ending: 'doubt', health: 'ok', payload: JSON.stringify({ why }), why };
  }
}

/** The record moved on while this act was under way: someone looked it up, or sent again. */
function fenced(
  runtime: Runtime,
  act: Act,
  ending: Ending,
  outcome: Outcome,
  now: { state: string; payload: unknown },
): number {
  // A refusal of this request says nothing of one that left since: the caller hears what the record comes to.
  if (ending === 'reject') {
    throw new DoubtError(`refused after its record had moved on to ${now.state}; looking up what is true`);
  }
  if (ending !== 'done' || !('result' in outcome)) return 1;
  tellMishap(runtime, act, outcome.result, now);
  throw new DoubtError(`the act ended after its record had moved on to ${now.state}; looking up what is true`);
}

/** An act happened, and its record says otherwise: what nothing can undo here must be seen. */
function tellMishap(runtime: Runtime, act: Act, result: object, now: { state: string; payload: unknown }): void {
  const mine = orderIdOf(result);
  const recorded = now.state === 'DONE' ? orderIdOf(now.payload) : undefined;
  if (recorded !== undefined && mine !== undefined && recorded !== mine) {
    // Two acts really happened for one intent.
    runtime.recorder.duplicate(act.ref.jobType, 'fencing');
    runtime.log.fatal({ ...act.ref, orderId: mine, recordedOrderId: recorded }, 'an act happened twice');
  }
  if (now.state === 'REJECTED') {
    // It took effect after every deadline. A caller was told that it did not happen.
    runtime.log.fatal(
      { ...act.ref, orderId: mine, told: now.payload },
      'an act happened after its job had ended as refused',
    );
  }
}

function orderIdOf(result: unknown): string | undefined {
  const orderId = typeof result === 'object' && result !== null && 'orderId' in result ? result.orderId : undefined;
  return typeof orderId === 'string' ? orderId : undefined;
}
