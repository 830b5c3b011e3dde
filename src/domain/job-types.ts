/** Kinds of effects that fillsafe brings. People define others, which are known when a worker starts: labels stay bounded. */
export const JOB_TYPES = ['order.place', 'order.cancel'] as const;
export type JobType = (typeof JOB_TYPES)[number];

/** The activity (and workflow) that does each job type, and the prefix of its workflow ids. */
export const JOBS = {
  'order.place': { activity: 'placeOrder', idPrefix: 'order' },
  'order.cancel': { activity: 'cancelOrder', idPrefix: 'cancel' },
} as const satisfies Record<JobType, { activity: string; idPrefix: string }>;

export function isJobType(value: string): value is JobType {
  return (JOB_TYPES as readonly string[]).includes(value);
}

/** What every job type looks like, built in or defined by people: no colon, as it is a part of Redis keys. */
const JOB_TYPE_PATTERN = /^[a-z][a-z0-9_-]{0,31}\.[a-z][a-z0-9_-]{0,31}$/;
export const JOB_TYPE_RULE =
  'must be two words with a dot, like payout.send: each a-z first, then a-z 0-9 _ -, at most 32';

export function isWellFormedJobType(value: unknown): value is string {
  return typeof value === 'string' && JOB_TYPE_PATTERN.test(value);
}

/** What names one decision. */
export const INTENT_ID_PATTERN = /^[A-Za-z0-9._:-]{1,64}$/;
export const INTENT_ID_RULE = 'must be 1 to 64 of A-Z a-z 0-9 . _ : -';

/** Where an effect acts that concerns no venue; no venue may have this name. */
export const BOOKS = 'books';

/** A job type at a venue (or `books`): what has a task queue and a breaker of its own. */
export interface Place {
  venue: string;
  jobType: string;
}

/** The built-in job type that an activity or workflow of this name does, if any. */
export function jobTypeOf(activityType: string): JobType | undefined {
  return JOB_TYPES.find((jobType) => JOBS[jobType].activity === activityType);
}

/**
 * Whether an activity of this name may be an effect. A workflow's sandbox knows the built-in ones only: of any other name that
 * looks like a job type, `planJob` tells.
 */
export function mayBeEffect(activityType: string): boolean {
  return jobTypeOf(activityType) !== undefined || isWellFormedJobType(activityType);
}

/** Workflow id of an intent: the same for ever, so that a second start finds the first. */
export function workflowIdOf(jobType: string, intentId: string): string {
  return `${isJobType(jobType) ? JOBS[jobType].idPrefix : jobType}:${intentId}`;
}

/** Task queue of the workflows. */
export const WORKFLOW_QUEUE = 'fillsafe';

/** Task queue of the effects of one job type at one venue: what a breaker can hold. */
export function effectQueue(jobType: string, venue: string): string {
  return `fillsafe.${jobType}.${venue}`;
}

/** Every task queue of effects and look-ups at these places. */
export function queuesOf(places: readonly Place[]): string[] {
  return [...new Set(places.flatMap(({ jobType, venue }) => [effectQueue(jobType, venue), lookUpQueue(venue)]))];
}

/** Task queue of look-ups, never held by a breaker of effects. */
export function lookUpQueue(venue: string): string {
  return `fillsafe.lookup.${venue}`;
}
