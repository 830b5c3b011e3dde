import { Context } from '@temporalio/activity';
import type { LevelOrders } from '../src/breaker/breakers';
import type { Adoption } from '../src/breaker/control/adoption';
import { joinPlaces, placesOf, venuesOf, type HeldPlace } from '../src/breaker/control/places';
import { MOST_ROWS, type Projection } from '../src/breaker/control/state';
import { ALL, parseScope, type Scope } from '../src/breaker/scope';
import { isWellFormedJobType, type Place } from '../src/domain/job-types';
import { tellTurns } from '../src/interceptors/breaker-act';
import { attemptFailure } from '../src/interceptors/failure';
import type { Runtime } from '../src/interceptors/runtime';
import { matchKillsToQueues } from './queue-hold';

const venuesAt = (places: readonly Place[]): string[] => places.map(({ venue }) => venue);

/** What a control workflow asks of the world: to read what was ordered before it, and to write what is. */
export function breakerOrders(runtime: Runtime) {
  const { guard, effects, log } = runtime;
  /** This worker's places and those that others told. */
  const known = (told: readonly HeldPlace[]): HeldPlace[] => joinPlaces(told, effects.heldPlaces());

  /** Writes to each venue, should others fail; says then with which. Answers whether one of them knows of later orders. */
  async function writeAll(scope: Scope, venues: readonly string[], orders: LevelOrders): Promise<boolean> {
    const written = await Promise.allSettled(
      venues.map(async (venue) => {
        const reply = await guard.breakers.order(venue, scope.level, orders);
        if (reply.kind === 'OK') tellTurns(runtime, venue, reply.turns);
        else log.error({ ...scope, venue, ours: orders.number, theirs: reply.number }, 'Redis knows of later orders');
        return reply.kind;
      }),
    );
    const failures = written.flatMap((each, i) =>
      each.status === 'rejected' ? [`${venues[i]}: ${(each.reason as Error).message}`] : [],
    );
    if (failures.length > 0)
      throw attemptFailure('STORE_DOWN', failures.join('; '), { intentId: '', venue: scope.venue });
    return written.some((each) => each.status === 'fulfilled' && each.value === 'STALE');
  }

  return {
    adoptOverrides: async (text: string, told: HeldPlace[]): Promise<Adoption> => {
      const scope = parseScope(text);
      const there = venuesOf({ venue: ALL, level: ALL }, venuesAt([...effects.places(), ...told]));
      if (scope.venue !== ALL && !there.includes(scope.venue)) {
        const message = `scope: no venue "${scope.venue}" is configured; there are ${there.join(', ')}`;
        throw attemptFailure('INVALID', message, { intentId: '', venue: scope.venue });
      }
      const nowMs = await guard.now();
      const found = await Promise.all(
        venuesOf(scope, there).map(async (venue) => {
          const standing = (await guard.breakers.read(venue, [scope.level])).find(({ level }) => level === scope.level);
          return { venue, override: standing!.override };
        }),
      );
      const { venue, override } = found.reduce((best, each) =>
        each.override.number > best.override.number ? each : best,
      );
      const rows = override.number === 0 ? [] : await guard.breakers.audit(venue, text);
      return { override, leftMs: Math.max(override.until - nowMs, 0), rows: rows.slice(-MOST_ROWS) };
    },

    projectOverrides: async (text: string, told: HeldPlace[], orders: LevelOrders): Promise<Projection> => {
      const scope = parseScope(text);
      const { client } = Context.current();
      const places = placesOf(scope, known(told));
      const queues = scope.level.startsWith('account:') ? [] : places;
      // Temporal holds the queues at once, should Redis not answer; what Redis says is what counts in the end.
      const early = orders.kill ? matchKillsToQueues(client, queues, () => Promise.resolve(orders)) : [];
      const isStale = await writeAll(scope, venuesOf(scope, venuesAt(known(told))), orders);
      const killOf = ({ venue, jobType }: HeldPlace) => guard.breakers.killOf(venue, jobType);
      const notes = [...(await early), ...(await matchKillsToQueues(client, queues, killOf))];
      if (isWellFormedJobType(scope.level) && places.length === 0)
        notes.push(`no worker was heard of that does ${scope.level} at ${scope.venue} and may be held`);
      return {
        isStale,
        settleMs: Math.max(0, ...places.map(({ sendWithinMs }) => sendWithinMs)),
        note: [...new Set(notes)].join('; '),
      };
    },
  };
}
