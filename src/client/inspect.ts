import type { WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import type { FillsafeConfig } from '../config/schema';
import { workflowIdOf, type JobType } from '../domain/job-types';
import type { GuardRecord } from '../guard/record';
import type { FillsafeClient } from './client';
import { failureOf, readJobHistory, type JobActivity, type JobHistory } from './job-history';
import { openGuard } from './open-guard';

/** An activity of a job with what the server knows of the attempt that is under way. */
export interface StoryActivity extends JobActivity {
  /** Start of the next attempt, epoch ms, while it waits for one. */
  nextAttemptAt?: number;
  /** Whether an attempt runs at this moment. */
  running?: boolean;
}

/** Everything that is known of a job. */
export interface JobStory extends Omit<JobHistory, 'activities'> {
  activities: StoryActivity[];
  /** The act in one line, as it was given at the start. */
  summary: string | undefined;
  /** The guard's record; null where there is none, `undefined` where Redis could not be asked. */
  record: GuardRecord | null | undefined;
}

type Pending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Reads a job's history, its pending attempts and its record. Throws a `WorkflowNotFoundError` when there is no such job. */
export async function inspectJob(
  client: FillsafeClient,
  config: FillsafeConfig,
  { jobType, intentId }: { jobType: JobType; intentId: string },
): Promise<JobStory> {
  const workflowId = workflowIdOf(jobType, intentId);
  const history = await readJobHistory(client.temporal, workflowId);
  const handle = client.temporal.workflow.getHandle(workflowId, history.runId || undefined);
  const description = await handle.describe();
  const pending = new Map((description.raw.pendingActivities ?? []).map((each) => [each.activityId, each]));
  const venue = history.input['venue'];
  return {
    ...history,
    activities: history.activities.map((activity) => withPending(activity, pending.get(activity.activityId))),
    summary: await description.staticSummary(),
    record: typeof venue === 'string' ? await recordOf(config, { venue, jobType, intentId }) : undefined,
  };
}

/** Attempts of an activity that still retries are not in the history. */
function withPending(activity: JobActivity, pending: Pending | undefined): StoryActivity {
  if (!pending || activity.state !== 'waiting') return activity;
  const startedAt = optionalTsToMs(pending.lastStartedTime);
  const isRunning = pending.currentRetryInterval === null || pending.currentRetryInterval === undefined;
  const nextAttemptAt = isRunning ? undefined : optionalTsToMs(pending.nextAttemptScheduleTime);
  const begun = startedAt !== undefined;
  return {
    ...activity,
    attempts:
      nextAttemptAt === undefined ? (begun ? (pending.attempt ?? 1) : 0) : Math.max((pending.attempt ?? 1) - 1, 1),
    ...(begun ? { startedAt } : {}),
    ...(pending.lastFailure ? { failure: failureOf(pending.lastFailure) } : {}),
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    running: begun && nextAttemptAt === undefined,
  };
}

async function recordOf(
  config: FillsafeConfig,
  ref: { venue: string; jobType: string; intentId: string },
): Promise<GuardRecord | null | undefined> {
  try {
    const store = await openGuard(config);
    try {
      return (await store.guard.record(ref)) ?? null;
    } finally {
      store.close();
    }
  } catch {
    return undefined;
  }
}
