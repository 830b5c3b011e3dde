import type { Alone } from '../breaker/local';
import { reportOf, type Hold, type VenueHealth } from '../breaker/report';
import type { LevelTurn, Levels } from '../breaker/levels';
import { scopeOf, VENUE_LEVEL } from '../breaker/scope';
import type { Admission } from '../guard/answers';
import type { IntentRef } from '../guard/keys';
import { breakerSettings, settingsOf } from '../policy/job-policy';
import { isVenueError } from '../venues/port';
import type { Act } from './admission';
import type { Runtime } from './runtime';

/** A change of an automatic breaker that this worker brought about. */
export interface BreakerTurn {
  /** As people write it: `paper/order.place`. */
  scope: string;
  from: string;
  to: string;
  why: string;
  /** Redis ms. */
  at: number;
}

/** Counts and tells what a script turned. */
export function tellTurns(runtime: Runtime, venue: string, turns: readonly LevelTurn[]): void {
  runtime.breakerWatch.hear(venue, turns);
  for (const { level, from, to, why, at } of turns) {
    const scope = scopeOf(venue, level);
    // One that was open and stays so, longer or by order, has not opened.
    if (from !== to) runtime.recorder.breakerTurned(venue, level, to);
    runtime.log.warn({ scope, from, to, why }, 'breaker turned');
    runtime.onTurn({ scope, from, to, why, at });
  }
}

/** Tells of the venue's own "come back at", and has all of this process go by it. */
export function tellHold(runtime: Runtime, ref: IntentRef, hold: Hold): void {
  runtime.log.error({ ...ref, ...hold }, 'the venue said not to come back for a while');
  void runtime.breakerWatch.refresh(ref.venue);
}

/** Failures of this worker's own network: whether they are many enough to hold it, its own window tells. */
export function aloneIn(health: VenueHealth, { lone }: { lone: boolean }): Alone {
  if (!lone) return 'no';
  return health === 'own' ? 'maybe' : 'yes';
}

/** Tries the harmless read that admit asked for, and tells what it showed. */
export async function probe(
  runtime: Runtime,
  act: Act,
  { level, token }: Admission & { kind: 'PROBE' },
): Promise<void> {
  const settings = breakerSettings(runtime.config, settingsOf(level));
  if (!settings) return;
  const health = await (act.effect.probe?.(act.input) ?? Promise.resolve()).then(
    () => 'ok' as const,
    (error: unknown) => (isOwnFailure(error) ? ('own' as const) : ('fail' as const)),
  );
  const told = { health, worker: runtime.workerNumbers.at(act.ref.venue) };
  const { turns, lone } = await runtime.guard.breakers.probed(act.ref.venue, { level, token }, told, settings);
  // One whose reads do not leave it leaves the trying to others.
  if (lone) act.stay.report('own', 'maybe');
  tellTurns(runtime, act.ref.venue, turns);
}

function isOwnFailure(error: unknown): boolean {
  return isVenueError(error) && reportOf(error.verdict, error.message).health === 'own';
}

/** What an ending tells the breakers: a hold is for the level that it concerns, or for the venue where the act has no such one. */
export function reported(
  { levels }: { levels: Levels },
  worker: number,
  health: VenueHealth,
  hold: Hold | undefined,
): { levels: Levels; health: VenueHealth; worker: number; hold: (Hold & { level: string }) | undefined } {
  if (!hold) return { levels, health, worker, hold };
  const [venue = VENUE_LEVEL, jobType = VENUE_LEVEL, account = VENUE_LEVEL] = levels.names;
  const level = { venue, jobType, account }[hold.concerns];
  return { levels, health, worker, hold: { ...hold, level } };
}
