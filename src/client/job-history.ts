import { isGrpcServiceError, WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { jobTypeOf, type JobType } from '../domain/job-types';
import type { LookUpAnswer } from '../domain/job-plan';
import type { OrderResult } from '../domain/order';
import type { FailureDetails } from '../interceptors/failure';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];
type Failure = NonNullable<NonNullable<HistoryEvent['workflowExecutionFailedEventAttributes']>['failure']>;
type Payloads = NonNullable<NonNullable<HistoryEvent['workflowExecutionStartedEventAttributes']>['input']>['payloads'];

/** How a job stands by its history. `cut off`: it was ended from outside, so its end says nothing about the act. */
export type JobState =
  | { status: 'running' }
  | { status: 'manual'; evidence: string }
  | { status: 'done'; result: OrderResult }
  | { status: 'refused'; category: string; message: string }
  | { status: 'cut off'; how: 'TERMINATED' | 'TIMED_OUT' };

/** One activity of a job, over all its attempts. Times are epoch ms by the server's clock. */
export interface JobActivity {
  activityType: string;
  activityId: string;
  /** Attempts begun, as far as the history tells: those of an activity that still retries are with the server. */
  attempts: number;
  state: 'waiting' | 'done' | 'failed' | 'timed out' | 'cancelled';
  scheduledAt: number;
  /** Start of the last attempt. */
  startedAt?: number;
  endedAt?: number;
  /** Last failure, also of an activity that went well later. */
  failure?: { type: string; message: string };
}

/** One run of a job as its history tells it: no worker is needed to read it. */
export interface JobHistory {
  workflowId: string;
  runId: string;
  jobType: JobType | undefined;
  input: Record<string, unknown>;
  state: JobState;
  startedAt: number;
  endedAt?: number;
  activities: JobActivity[];
}

const READ_LIMIT_MS = 20_000;
const GRPC_NOT_FOUND = 5;

/** Reads the history of a job; the newest run where no `runId` is given. Throws a `WorkflowNotFoundError`. */
export async function readJobHistory(client: Client, workflowId: string, runId?: string): Promise<JobHistory> {
  const history = await client.connection
    .withDeadline(Date.now() + READ_LIMIT_MS, () => client.workflow.getHandle(workflowId, runId).fetchHistory())
    .catch((error: unknown) => {
      if (!isGrpcServiceError(error) || Number(error.code) !== GRPC_NOT_FOUND) throw error;
      throw new WorkflowNotFoundError(error.details, workflowId, runId);
    });
  const reader = new HistoryReader(client, workflowId);
  for (const event of history.events ?? []) await reader.take(event);
  return reader.read();
}

class HistoryReader {
  private readonly activities = new Map<string, JobActivity>();
  /** What the last look-up or decision answered, while nothing came after it. */
  private lastAnswer: LookUpAnswer | undefined;
  private readonly job: JobHistory;

  constructor(
    private readonly client: Client,
    workflowId: string,
  ) {
    this.job = {
      workflowId,
      runId: '',
      jobType: undefined,
      input: {},
      state: { status: 'running' },
      startedAt: 0,
      activities: [],
    };
  }

  read(): JobHistory {
    const { job, lastAnswer } = this;
    job.activities = [...this.activities.values()];
    const idle = job.activities.every(({ state }) => state !== 'waiting');
    if (job.state.status === 'running' && idle && lastAnswer?.outcome === 'manual')
      job.state = { status: 'manual', evidence: lastAnswer.evidence };
    return job;
  }

  async take(event: HistoryEvent): Promise<void> {
    const at = optionalTsToMs(event.eventTime) ?? 0;
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      this.job.runId = started.originalExecutionRunId ?? '';
      this.job.jobType = jobTypeOf(started.workflowType?.name ?? '');
      const input = await this.decode(started.input?.payloads);
      this.job.input = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
      this.job.startedAt = at;
      return;
    }
    const end = await this.endOf(event);
    if (end) {
      this.job.state = end;
      this.job.endedAt = at;
      return;
    }
    await this.takeActivity(event, at);
  }

  private async endOf(event: HistoryEvent): Promise<JobState | undefined> {
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed) return { status: 'done', result: (await this.decode(completed.result?.payloads)) as OrderResult };
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed) return { status: 'refused', ...(await this.refusal(failed.failure ?? {})) };
    if (event.workflowExecutionCanceledEventAttributes)
      return { status: 'refused', category: 'CANCELLED', message: 'the job was cancelled' };
    if (event.workflowExecutionTerminatedEventAttributes) return { status: 'cut off', how: 'TERMINATED' };
    if (event.workflowExecutionTimedOutEventAttributes) return { status: 'cut off', how: 'TIMED_OUT' };
    return undefined;
  }

  private async takeActivity(event: HistoryEvent, at: number): Promise<void> {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      this.lastAnswer = undefined;
      this.activities.set(String(event.eventId), {
        activityType: scheduled.activityType?.name ?? '',
        activityId: scheduled.activityId ?? '',
        attempts: 0,
        state: 'waiting',
        scheduledAt: at,
      });
      return;
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      const activity = this.activities.get(String(started.scheduledEventId));
      if (!activity) return;
      activity.attempts = started.attempt ?? 1;
      activity.startedAt = at;
      if (started.lastFailure) activity.failure = failureOf(started.lastFailure);
      return;
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes;
    const timedOut = event.activityTaskTimedOutEventAttributes;
    const cancelled = event.activityTaskCanceledEventAttributes;
    const ended = completed ?? failed ?? timedOut ?? cancelled;
    const activity = ended && this.activities.get(String(ended.scheduledEventId));
    if (!activity) return;
    activity.endedAt = at;
    activity.state = completed ? 'done' : failed ? 'failed' : timedOut ? 'timed out' : 'cancelled';
    const failure = failed?.failure ?? timedOut?.failure;
    if (failure) activity.failure = failureOf(failure);
    if (completed && (activity.activityType === 'lookUp' || activity.activityType === 'resolveIntent'))
      this.lastAnswer = (await this.decode(completed.result?.payloads)) as LookUpAnswer;
  }

  private async refusal(failure: Failure): Promise<{ category: string; message: string }> {
    const details = (await this.decode(failure.applicationFailureInfo?.details?.payloads)) as
      Partial<FailureDetails> | undefined;
    const { type, message } = failureOf(failure);
    return { category: type, message: details?.message ?? message };
  }

  /** The first of the payloads. */
  private async decode(payloads: Payloads): Promise<unknown> {
    const { payloadCodecs, payloadConverter } = this.client.options.loadedDataConverter;
    let decoded = payloads ?? [];
    for (const codec of payloadCodecs) decoded = await codec.decode(decoded);
    return decoded[0] ? payloadConverter.fromPayload(decoded[0]) : undefined;
  }
}

/** What went wrong, by the innermost cause that names a type. */
export function failureOf(failure: Failure): { type: string; message: string } {
  const type = failure.applicationFailureInfo?.type ?? (failure.timeoutFailureInfo ? 'TIMEOUT' : undefined);
  if (!type && failure.cause) return failureOf(failure.cause);
  return { type: type || 'INTERNAL', message: failure.message ?? '' };
}
