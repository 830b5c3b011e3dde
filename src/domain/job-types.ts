/** Kinds of effects. Unit of breaker, policy and metrics; a closed set, so that labels stay bounded. */
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

/** The job type that an activity or workflow of this name does, if any. */
export function jobTypeOf(activityType: string): JobType | undefined {
  return JOB_TYPES.find((jobType) => JOBS[jobType].activity === activityType);
}

/** Workflow id of an intent: the same for ever, so that a second start finds the first. */
export function workflowIdOf(jobType: JobType, intentId: string): string {
  return `${JOBS[jobType].idPrefix}:${intentId}`;
}

/** Task queue of the workflows. */
export const WORKFLOW_QUEUE = 'fillsafe';

/** Task queue of the effects of one job type at one venue: what a breaker can hold. */
export function effectQueue(jobType: JobType, venue: string): string {
  return `fillsafe.${jobType}.${venue}`;
}

/** Every task queue of effects and look-ups at these venues. */
export function queuesOf(venues: readonly string[]): string[] {
  return venues.flatMap((venue) => [...JOB_TYPES.map((jobType) => effectQueue(jobType, venue)), lookUpQueue(venue)]);
}

/** Task queue of look-ups, never held by a breaker of effects. */
export function lookUpQueue(venue: string): string {
  return `fillsafe.lookup.${venue}`;
}
