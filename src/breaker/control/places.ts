import { BOOKS, isWellFormedJobType, type Place } from '../../domain/job-types';
import { ALL, LOOK_UP_LEVEL, type Scope } from '../scope';

/** Where something acts that adds risk: what orders may hold. */
export interface HeldPlace extends Place {
  /** An act that was let through leaves within so long, or not at all. */
  sendWithinMs: number;
}

/** Reads what a worker tells of its places. Throws a `TypeError` for anything else: whoever can send it can send nonsense. */
export function parsePlaces(raw: unknown): HeldPlace[] {
  if (raw === undefined || raw === null) return [];
  const isPlace = (each: Partial<HeldPlace> | null): boolean =>
    typeof each?.venue === 'string' && isWellFormedJobType(each.jobType) && Number.isFinite(each.sendWithinMs);
  if (!Array.isArray(raw) || !raw.every(isPlace))
    throw new TypeError('places: must be a list of {venue, jobType, sendWithinMs}');
  return raw.map(({ venue, jobType, sendWithinMs }: HeldPlace) => ({ venue, jobType, sendWithinMs }));
}

/** All of both, each once; of one place the later word counts. */
export function joinPlaces(known: readonly HeldPlace[], told: readonly HeldPlace[]): HeldPlace[] {
  const all = new Map([...known, ...told].map((place) => [`${place.jobType} ${place.venue}`, place]));
  return [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
}

/** The places of which an order to this scope may hold acts; of an account no more is known than its venue. */
export function placesOf({ venue, level }: Scope, places: readonly HeldPlace[]): HeldPlace[] {
  if (level === LOOK_UP_LEVEL) return [];
  return places.filter(
    (place) => (venue === ALL || place.venue === venue) && (!isWellFormedJobType(level) || place.jobType === level),
  );
}

/** Where an order to this scope is written. `all` goes to the books too: effects of people's own act there. */
export function venuesOf({ venue }: Scope, known: readonly string[]): string[] {
  return venue === ALL ? [...new Set([BOOKS, ...known])].sort() : [venue];
}
