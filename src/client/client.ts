import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  ApplicationFailure,
  defineSearchAttributeKey,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/common';
import { ALL, parseScope } from '../breaker/scope';
import type { FillsafeConfig } from '../config/schema';
import { fingerprintOf } from '../domain/fingerprint';
import { BOOKS, JOBS, WORKFLOW_QUEUE, workflowIdOf, type JobType } from '../domain/job-types';
import { checkVenue, isVenueRefused } from '../domain/lane';
import {
  describeCancel,
  describeOrder,
  type CancelOrderInput,
  type OrderResult,
  type PlaceOrderInput,
} from '../domain/order';
import { isInvalidInput, parseJobInput, type JobInput } from '../domain/order.schema';
import type { Resolution, JobStatus } from '../domain/job-plan';
import type { FailureDetails } from '../interceptors/failure';
import { BreakerControl } from './breaker-control';
import { readJobHistory } from './job-history';
import { connectTemporal, missingSearchAttributes } from './temporal';

/** How a job stands, as `submit` and `job` tell it. */
export type JobOutcome = { intentId: string; workflowId: string } & (
  | { status: 'started' | 'running' }
  | { status: 'manual'; message: string }
  | { status: 'done'; result: OrderResult }
  | { status: 'refused'; category: string; message: string }
);

/** A job that was started, or that had been started before under the same intent. */
export interface SubmittedJob {
  intentId: string;
  workflowId: string;
  /** Whether an earlier submit of the intent is answered. */
  replayed: boolean;
  /**
   * Waits for the end, for at most `timeoutMs` where given; then says `running`, or `manual` for a job that waits for a
   * person.
   */
  outcome(options?: { timeoutMs?: number }): Promise<JobOutcome>;
}

/** What fillsafe's clients do. Inputs are checked before Temporal hears of them. */
export class FillsafeClient {
  private constructor(
    readonly temporal: Client,
    private readonly config: FillsafeConfig,
    private readonly searchAttributes: boolean,
  ) {}

  /** Throws a `TemporalUnreachableError` after `temporal.connect_timeout_ms`. */
  static async connect(config: FillsafeConfig): Promise<FillsafeClient> {
    const temporal = await connectTemporal(config);
    return new FillsafeClient(temporal, config, (await missingSearchAttributes(temporal)).length === 0);
  }

  /**
   * Places an order and waits for its end, however long a person takes. Throws what `submit` throws, and an
   * `ApplicationFailure` when the order was refused; its type is the category. OUTCOME_UNKNOWN: the job was ended from outside.
   */
  async placeOrder(order: PlaceOrderInput): Promise<OrderResult> {
    return this.run('order.place', order);
  }

  /** Cancels an order and waits for its final state. Throws as `placeOrder` does. */
  async cancelOrder(cancel: CancelOrderInput): Promise<OrderResult> {
    return this.run('order.cancel', cancel);
  }

  /**
   * Starts a job, or finds the one that the intent has already. Throws an `InvalidInputError` or `VenueRefusedError` before
   * anything is started, and an `ApplicationFailure` of type CONFLICT when the intent was used with another payload.
   */
  async submit(jobType: JobType, raw: unknown): Promise<SubmittedJob> {
    const input = parseJobInput(jobType, raw);
    checkVenue(this.config, input.venue);
    const { intentId } = input;
    const workflowId = workflowIdOf(jobType, intentId);
    const fingerprint = fingerprintOf(input);
    let handle: WorkflowHandle;
    let replayed = false;
    try {
      handle = await this.withDeadline(() =>
        this.temporal.workflow.start(JOBS[jobType].activity, {
          workflowId,
          taskQueue: WORKFLOW_QUEUE,
          args: [input],
          memo: { fingerprint },
          staticSummary:
            jobType === 'order.place'
              ? describeOrder(input as PlaceOrderInput)
              : describeCancel(input as CancelOrderInput),
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          // Failing tells a first start from a second one, which USE_EXISTING keeps to itself; the answer is the same run.
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
          ...(this.searchAttributes ? { typedSearchAttributes: attributesOf(jobType, input) } : {}),
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      handle = this.temporal.workflow.getHandle(workflowId);
      replayed = true;
      await this.refuseConflict(handle, intentId, input.venue, fingerprint);
    }
    return { intentId, workflowId, replayed, outcome: (options) => this.outcome(handle, intentId, replayed, options) };
  }

  /** How the job of an intent stands. */
  async job(jobType: JobType, intentId: string): Promise<JobOutcome> {
    const handle = this.temporal.workflow.getHandle(workflowIdOf(jobType, intentId));
    return this.outcome(handle, intentId, false, { timeoutMs: 0 });
  }

  /** What a running job is doing, in words. */
  status(jobType: JobType, intentId: string): Promise<JobStatus> {
    return this.temporal.workflow.getHandle(workflowIdOf(jobType, intentId)).query<JobStatus>('status');
  }

  /** A person's decision on a parked job; throws when it is refused. */
  resolve(jobType: JobType, intentId: string, resolution: Resolution): Promise<JobStatus> {
    const handle = this.temporal.workflow.getHandle(workflowIdOf(jobType, intentId));
    return handle.executeUpdate<JobStatus, [Resolution]>('resolve', { args: [resolution] });
  }

  /**
   * The breaker of a scope (`all`, `<venue>`, `<venue>/<jobType>`, `<venue>/look-up`, `<venue>/account/<account>`): orders and what
   * came of them. Throws a `TypeError` for a scope that is none, a `VenueRefusedError` for a venue that is not configured.
   */
  breaker(scope: string): BreakerControl {
    const { venue } = parseScope(scope);
    if (venue !== ALL && venue !== BOOKS) checkVenue(this.config, venue, 'scope');
    return new BreakerControl(this.temporal, scope);
  }

  close(): Promise<void> {
    return this.temporal.connection.close();
  }

  private async run(jobType: JobType, raw: JobInput): Promise<OrderResult> {
    const job = await this.submit(jobType, raw);
    const outcome = await job.outcome();
    if (outcome.status === 'done') return outcome.result;
    const { category, message } =
      outcome.status === 'refused'
        ? outcome
        : { category: 'OUTCOME_UNKNOWN', message: 'message' in outcome ? outcome.message : outcome.status };
    const details = { intentId: job.intentId, category, venue: raw.venue, message };
    throw ApplicationFailure.nonRetryable(message, category, details);
  }

  private async outcome(
    handle: WorkflowHandle,
    intentId: string,
    replayed: boolean,
    { timeoutMs }: { timeoutMs?: number } = {},
  ): Promise<JobOutcome> {
    const about = { intentId, workflowId: handle.workflowId };
    if (timeoutMs !== undefined && !(await this.endsWithin(handle, timeoutMs))) {
      // The history tells a parked job without a worker; a query would need one.
      const { state } = await readJobHistory(this.temporal, handle.workflowId);
      if (state.status === 'running') return { ...about, status: 'running' };
      if (state.status === 'manual') return { ...about, status: 'manual', message: state.evidence };
    }
    try {
      const result = (await handle.result()) as OrderResult;
      return { ...about, status: 'done', result: { ...result, replayed: result.replayed || replayed } };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const { cause } = error;
      if (cause instanceof TerminatedFailure || cause instanceof TimeoutFailure) {
        // Ended from outside: its end says nothing about the act, the guard's record may.
        const message = `the workflow was ended from outside: see \`fillsafe guard show ${intentId}\` for what is known of its act`;
        return { ...about, status: 'manual', message };
      }
      const category = cause instanceof ApplicationFailure ? (cause.type ?? 'INTERNAL') : 'CANCELLED';
      const details =
        cause instanceof ApplicationFailure ? (cause.details?.[0] as FailureDetails | undefined) : undefined;
      return { ...about, status: 'refused', category, message: details?.message ?? cause?.message ?? error.message };
    }
  }

  private async endsWithin(handle: WorkflowHandle, timeoutMs: number): Promise<boolean> {
    if (timeoutMs <= 0) return (await handle.describe()).status.name !== 'RUNNING';
    const { connection } = this.temporal;
    return connection.withDeadline(Date.now() + timeoutMs, () =>
      handle.result().then(
        () => true,
        (error: unknown) => error instanceof WorkflowFailedError,
      ),
    );
  }

  private async refuseConflict(
    handle: WorkflowHandle,
    intentId: string,
    venue: string,
    fingerprint: string,
  ): Promise<void> {
    const { memo } = await handle.describe();
    const known = memo?.['fingerprint'];
    if (typeof known !== 'string' || known.split(':')[0] !== fingerprint.split(':')[0] || known === fingerprint) return;
    const message = `intentId: "${intentId}" was used before with another payload; a new decision needs a new intentId`;
    throw ApplicationFailure.nonRetryable(message, 'CONFLICT', { intentId, category: 'CONFLICT', venue, message });
  }

  /** A start without a deadline hangs for 20 s when the server is down. */
  private withDeadline<T>(call: () => Promise<T>): Promise<T> {
    return this.temporal.connection.withDeadline(Date.now() + 10_000, call);
  }
}

/** The refusal of a job before it was started: category and message, for any error that `submit` throws for bad input. */
export function refusalOf(error: unknown): { category: string; message: string } | undefined {
  if (isInvalidInput(error)) return { category: 'INVALID', message: error.message };
  if (isVenueRefused(error)) return { category: error.category, message: error.message };
  if (error instanceof ApplicationFailure && error.type === 'CONFLICT')
    return { category: 'CONFLICT', message: error.message };
  return undefined;
}

function attributesOf(jobType: JobType, input: JobInput) {
  const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });
  return [
    keyword('FillsafeJobType', jobType),
    keyword('FillsafeVenue', input.venue),
    keyword('FillsafeSymbol', input.symbol),
    keyword('FillsafeIntent', input.intentId),
  ];
}
