import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { LevelOrders } from '../src/breaker/breakers';
import type { Adoption, Projection } from '../src/breaker/control/state';
import { ALL, parseScope, type Scope } from '../src/breaker/scope';
import type { Effect } from '../src/guard/effect';
import type { Runtime } from '../src/interceptors/runtime';
import { matchKillsToQueues } from './queue-hold';

/** Levels whose queues a kill concerns; that of an account has no queue of its own. */
const hasQueues = ({ level }: Scope): boolean => !level.startsWith('account:');

/** What a control workflow asks of the world: to read what was ordered before it, and to write what is. */
export function breakerOrders(runtime: Runtime) {
  const { guard, effects, log } = runtime;

  /** Every venue where an order of this scope holds; `told`: those that workers named. */
  function venuesOf({ venue }: Scope, told: readonly string[]): string[] {
    const known = effects.places().map((place) => place.venue);
    return venue === ALL ? [...new Set([...known, ...told])].sort() : [venue];
  }

  function held({ venue, level }: Scope): { effect: Effect; venue: string }[] {
    return effects.all
      .filter(({ heldByBreaker, jobType }) => heldByBreaker && (!level.includes('.') || level === jobType))
      .flatMap((effect) => effect.venues.map((each) => ({ effect, venue: each })))
      .filter((each) => venue === ALL || each.venue === venue);
  }

  return {
    adoptOverrides: async (text: string, told: string[]): Promise<Adoption> => {
      const scope = parseScope(text);
      const venues = venuesOf(scope, told);
      const known = venuesOf({ venue: ALL, level: ALL }, told);
      if (scope.venue !== ALL && !known.includes(scope.venue)) {
        const message = `scope: no venue "${scope.venue}" is configured; there are ${known.join(', ')}`;
        throw ApplicationFailure.nonRetryable(message, 'INVALID');
      }
      const nowMs = await guard.now();
      const found = await Promise.all(
        venues.map(async (venue) => {
          const standing = (await guard.breakers.read(venue, [scope.level])).find(({ level }) => level === scope.level);
          return { venue, override: standing!.override };
        }),
      );
      const { venue, override } = found.reduce((best, each) =>
        each.override.number > best.override.number ? each : best,
      );
      const rows = override.number === 0 ? [] : await guard.breakers.audit(venue, text);
      return { override, leftMs: Math.max(override.until - nowMs, 0), rows };
    },

    projectOverrides: async (text: string, told: string[], orders: LevelOrders): Promise<Projection> => {
      const scope = parseScope(text);
      const { client } = Context.current();
      const concerned = held(scope);
      const queues = hasQueues(scope) ? concerned.map(({ effect: { jobType }, venue }) => ({ jobType, venue })) : [];
      // Temporal holds the queues first, should Redis not answer; what Redis says is what counts.
      const early = orders.kill ? await matchKillsToQueues(client, queues, () => Promise.resolve(orders)) : [];
      for (const venue of venuesOf(scope, told)) {
        const written = await guard.breakers.order(venue, scope.level, orders);
        if (written.kind === 'OK') continue;
        log.error({ scope: text, venue, ours: orders.number, theirs: written.number }, 'Redis knows of a later order');
      }
      const killOf = ({ venue, jobType }: { venue: string; jobType: string }) => guard.breakers.killOf(venue, jobType);
      const late = await matchKillsToQueues(client, queues, killOf);
      const stranger = scope.level.includes('.') && concerned.length === 0;
      const notes = [
        ...early,
        ...late,
        ...(stranger ? [`this worker does no ${scope.level} that a breaker may hold`] : []),
      ];
      return {
        settleMs: Math.max(0, ...concerned.map(({ effect, venue }) => effect.sendWithinMs(venue))),
        note: [...new Set(notes)].join('; '),
      };
    },
  };
}
