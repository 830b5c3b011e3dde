import type { Alone, LocalBreaker, Visit } from '../breaker/local';
import type { VenueHealth } from '../breaker/report';
import { scopeOf } from '../breaker/scope';
import type { Standing } from '../breaker/snapshot';
import type { Pace } from '../breaker/watch';
import type { Place } from '../domain/job-types';
import type { Effect, Job } from '../guard/effect';
import { HeldError } from '../guard/errors';
import { ExpiredError } from '../guard/ticket';
import type { Runtime } from './runtime';

/** An act that a breaker may hold. */
type Holdable = Job & { effect: Effect; breaker: { held: boolean } };

/** Asked again before what holds is over, as people may let go early: the next attempt waits in the queue while that is shut. */
const LONGEST_WAIT_MS = 10_000;
/** No queue is shut for an account alone: here each question is an attempt. */
const LONGEST_ACCOUNT_WAIT_MS = 60_000;
/** Whoever is held by this worker alone comes back so soon: another worker may take it, and this one's queue is shut. */
const ALONE_WAIT_MS = 1_000;
/** When what holds is known to this process only: Redis may know more by then. */
const SNAPSHOT_WAIT_MS = 5_000;

/** An order whose own deadline passes while it is held fails then, never late. */
export function held(
  { effect, input }: Holdable,
  { scope, why: said, waitMs }: { scope: string; why: string; waitMs: number },
): HeldError | ExpiredError {
  const why = `held: breaker ${scope}: ${said}; nothing was sent`;
  const lifeMs = effect.lifeMs(input) ?? Infinity;
  if (lifeMs <= 0) return new ExpiredError(`expiresAt has passed while the order was ${why}`);
  const mostMs = scope.includes('/account/') ? LONGEST_ACCOUNT_WAIT_MS : LONGEST_WAIT_MS;
  const wait = Math.min(atMost(waitMs, mostMs), lifeMs + 1);
  return new HeldError('BREAKER_OPEN', `${why}, next try in ${Math.ceil(wait / 1_000)} s`, wait);
}

/** A wait that is told, cut to the longest one: at different moments, or all that wait for longer would come back as a herd. */
export function atMost(waitMs: number, mostMs = LONGEST_WAIT_MS): number {
  return waitMs <= mostMs ? waitMs : mostMs * (0.5 + Math.random() / 2);
}

/** One act in the breaker of this process alone. It must be left in the end. */
export interface Stay {
  report(health: VenueHealth, alone: Alone): void;
  leave(): void;
}

const NOWHERE: Stay = { report: () => undefined, leave: () => undefined };

function stayOf(local: LocalBreaker, visit: Visit): Stay {
  return { report: (health, alone) => local.report(visit, health, alone), leave: () => local.leave(visit) };
}

/** When to ask again, and why. */
export interface Waiting {
  waitMs: number;
  why: string;
}

/** Takes an act in before Redis is asked. Throws what holds it where this process knows better than Redis. */
export function enter(runtime: Runtime, act: Holdable): Stay {
  const mayBeHeld = act.breaker.held;
  const pace = runtime.breakerWatch.pace(act.ref);
  if (mayBeHeld && pace.isLost && pace.perSecond === 0) throw bySnapshot(act, pace);
  const stay = stayAt(runtime, act.ref, mayBeHeld);
  if ('waitMs' in stay) throw held(act, { scope: scopeOf(act.ref.venue, act.ref.jobType), ...stay });
  return stay;
}

/** A place in the breaker of this process alone, or what that says. */
export function stayAt({ breakerWatch, locals, recorder }: Runtime, place: Place, mayBeHeld: boolean): Stay | Waiting {
  const local = locals.of(place);
  if (!local) return NOWHERE;
  const entered = mayBeHeld ? local.enter() : local.watching();
  if (!('waitMs' in entered)) return stayOf(local, entered);
  if (local.settings.mode === 'observe' || breakerWatch.isForcedClosed(place)) {
    recorder.wouldBlock(place.jobType);
    return stayOf(local, local.watching());
  }
  const left = `it tries again in ${Math.ceil(entered.waitMs / 1_000)} s, others may act`;
  return { waitMs: ALONE_WAIT_MS, why: `this worker alone holds back: ${entered.why}; ${left}` };
}

/** What held acts of this kind when Redis was last heard of, if that goes on. */
export function holdBySnapshot({ breakerWatch }: Runtime, act: Holdable): Error | undefined {
  const pace = breakerWatch.pace(act.ref);
  return act.breaker.held && pace.perSecond === 0 ? bySnapshot(act, pace) : undefined;
}

const WORDS: Partial<Record<Standing, string>> = { KILLED: 'killed by ', FORCED_OPEN: 'forced open by ' };

function bySnapshot(act: Holdable, { scope, standing, why, leftMs }: Pace): Error {
  const said = `${WORDS[standing] ?? ''}${why}, as this worker last saw it`;
  return held(act, { scope, why: said, waitMs: Math.min(leftMs, SNAPSHOT_WAIT_MS) });
}
