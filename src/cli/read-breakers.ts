import type { LevelStanding } from '../breaker/breakers';
import { venuesOf } from '../breaker/control/places';
import { ALL, LOOK_UP_LEVEL, scopeOf, VENUE_LEVEL, type Scope } from '../breaker/scope';
import { standing } from '../breaker/snapshot';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { breakerSettings, settingsOf } from '../policy/job-policy';
import { breakerWords, type BreakerWords } from './breaker-words';
import { laneVenues } from './reconcile';

/** How a breaker stands, as `--json` tells it. Times are ISO 8601. */
export interface BreakerLine extends BreakerWords {
  scope: string;
  /** The breaker above that holds its jobs, whatever it says itself; null where none does. */
  heldBy: string | null;
}

/** How breakers stand by what Redis holds. */
export async function readBreakers(config: FillsafeConfig, scopes: readonly Scope[]): Promise<BreakerLine[]> {
  const { guard, close } = await openGuard(config);
  try {
    const lane = laneVenues(config);
    const venues = [...new Set(scopes.flatMap((scope) => venuesOf(scope, lane)))];
    const read = (venue: string): Promise<{ nowMs: number; levels: LevelStanding[] }> => {
      const levels = scopes.filter((scope) => scope.venue === venue).map(({ level }) => level);
      return guard.breakers.readAt(venue, [VENUE_LEVEL, ...levels]);
    };
    const standings = new Map(await Promise.all(venues.map(async (venue) => [venue, await read(venue)] as const)));
    const inWords = (venue: string, level: string): BreakerWords => {
      const { nowMs, levels } = standings.get(venue)!;
      const { breaker, override } = levels.find((each) => each.level === level)!;
      const settings = level === ALL ? undefined : breakerSettings(config, settingsOf(level));
      const words = breakerWords({ breaker, override, ...standing(breaker, override, nowMs) }, settings, nowMs);
      return level === LOOK_UP_LEVEL ? ofLookUps(words) : words;
    };
    return scopes.map(({ venue, level }) => {
      const scope = scopeOf(venue, level);
      const all = new Map(venues.map((each) => [each, inWords(each, ALL)]));
      if (venue === ALL) return { scope, ...everywhere(all), heldBy: null };
      const above = [ALL, VENUE_LEVEL].filter((each) => each !== level);
      const holder = above.find((each) => {
        const { held, standing } = inWords(venue, each);
        // Cancels and look-ups pass all but what the venue itself asked for.
        const passes = level === 'order.cancel' || level === LOOK_UP_LEVEL;
        return held && (!passes || standing === 'HELD');
      });
      return { scope, ...inWords(venue, level), heldBy: holder === undefined ? null : scopeOf(venue, holder) };
    });
  } finally {
    close();
  }
}

/** Of an order to all, which is written at each venue: the latest, with the venues that do not have it. */
function everywhere(all: Map<string, BreakerWords>): BreakerWords {
  const newest = Math.max(...[...all.values()].map(({ order }) => order));
  const words = [...all.values()].find(({ order }) => order === newest)!;
  const without = [...all].filter(([, { order }]) => order < newest).map(([venue]) => venue);
  return without.length === 0 ? words : { ...words, why: `${words.why} (NOT YET at ${without.join(', ')})` };
}

/** What passes or waits there is no job. */
function ofLookUps(words: BreakerWords): BreakerWords {
  const said = (text: string): string => text.replace('jobs', 'look-ups').replace('job', 'look-up');
  return { ...words, words: said(words.words), next: said(words.next) };
}
