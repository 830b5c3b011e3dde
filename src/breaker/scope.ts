import { isWellFormedJobType, JOB_TYPE_RULE } from '../domain/job-types';

/** What a breaker covers: everything of a venue, one job type there, its look-ups, one account there; `all` is every venue. */
export interface Scope {
  /** A configured venue, `books`, or `all`. */
  venue: string;
  /** `venue`, a job type, `look-up`, `account:<account>`, or `all`. */
  level: string;
}

/** The scope of the kill of everything. No venue may have this name. */
export const ALL = 'all';
/** Level of everything at a venue. */
export const VENUE_LEVEL = 'venue';
/** Level of the look-ups of a venue, of which no act is one. */
export const LOOK_UP_LEVEL = 'look-up';

const VENUE = /^[a-z0-9][a-z0-9-]{0,31}$/;
const ACCOUNT = /^[A-Za-z0-9._-]{1,64}$/;
export const SCOPE_RULE = 'must be all, <venue>, <venue>/<jobType>, <venue>/look-up or <venue>/account/<account>';

/** Reads a scope as people write it. Throws a `TypeError` that says what is wrong with it. */
export function parseScope(text: string): Scope {
  if (text === ALL) return { venue: ALL, level: ALL };
  const [venue = '', second, third, ...more] = text.split('/');
  if (!VENUE.test(venue) || venue === ALL || more.length > 0) throw wrong(text);
  if (second === undefined) return { venue, level: VENUE_LEVEL };
  if (second === 'account') {
    if (third === undefined || !ACCOUNT.test(third)) throw wrong(text, 'an account is 1 to 64 of A-Z a-z 0-9 . _ -');
    return { venue, level: `account:${third}` };
  }
  if (third !== undefined) throw wrong(text);
  if (second === LOOK_UP_LEVEL) return { venue, level: second };
  if (!isWellFormedJobType(second)) throw wrong(text, `a job type ${JOB_TYPE_RULE}`);
  return { venue, level: second };
}

/** A scope as people write it. */
export function scopeOf(venue: string, level: string): string {
  if (level === ALL) return ALL;
  if (level === VENUE_LEVEL) return venue;
  return level.startsWith('account:') ? `${venue}/account/${level.slice('account:'.length)}` : `${venue}/${level}`;
}

const CONTROL = 'breaker:';

/** Id of the workflow that keeps what people ordered of a scope. */
export function controlId(scope: string): string {
  return CONTROL + scope;
}

/** The scope that a control workflow of this id is for. Throws a `TypeError` for any other id. */
export function scopeOfControl(workflowId: string): string {
  const scope = workflowId.startsWith(CONTROL) ? workflowId.slice(CONTROL.length) : '';
  parseScope(scope);
  return scope;
}

function wrong(text: string, more = ''): TypeError {
  return new TypeError(`scope: "${text}" ${SCOPE_RULE}${more && `; ${more}`}`);
}
