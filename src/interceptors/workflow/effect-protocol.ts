import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import { asking, notSentAgain, question } from '../../domain/doubt-words';
import type { JobPlan, JobResult, LookUpAnswer, LookUpInput, Resolution } from '../../domain/job-plan';
import type { FailureDetails } from '../failure';
import type { Parking } from './parking';
import type { Story } from './story';

type Activities = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** Why an attempt did not act; at the end of the job's time they all mean that it expired. */
const HOLDS = new Set(['BREAKER_OPEN', 'STORE_DOWN', 'VENUE_AWAY']);
/** How long after its life's end an act that left in time may take to answer, before it is looked up. */
const ANSWER_MS = 5_000;
/** Failures that leave open whether the act happened, by this job's doing or by another worker's. */
const DOUBTS = new Set(['OUTCOME_UNKNOWN', 'MANUAL', 'BUSY', 'INTERNAL']);

/**
 * The way of one effect: act; when its answer is lost, look up until it is known; send again only what is surely absent and
 * may be. Everything it decides by is in the plan and in the history.
 */
export class EffectProtocol {
  /** Ids of the activities that the protocol itself scheduled. */
  private readonly own = new Set<string>();

  constructor(
    private readonly story: Story,
    private readonly parking: Parking,
  ) {}

  /** Whether an activity is one of the protocol's own, and so not to be taken for a new effect. */
  owns(activityId: string | undefined): boolean {
    return activityId !== undefined && this.own.has(activityId);
  }

  async run(activityType: string, plan: JobPlan): Promise<unknown> {
    const startedAt = Date.now();
    for (let resends = 0; ; resends++) {
      const passed = Date.now() - startedAt;
      const left = { jobMs: plan.scheduleToCloseMs - passed, lifeMs: (plan.lifeMs ?? Infinity) - passed };
      if (resends > 0 && Math.min(left.jobMs, left.lifeMs) <= 0)
        throw this.failure(plan, 'EXPIRED', `${timeOver(left)}; nothing is under way`);
      this.story.tell(
        'acting',
        resends > 0 ? `${plan.summary}, from the start: it surely had not happened` : begins(plan),
      );
      const activityId = this.nextId(plan.jobType);
      let failed: unknown;
      try {
        const result = await this.act(activityType, plan, activityId, left);
        this.story.tell('done', `done: ${plan.summary}`);
        this.story.outcome('done');
        return result;
      } catch (error) {
        failed = error;
      }
      const doubt = doubtOf(failed);
      if (doubt === undefined) throw this.finalFailure(plan, failed);
      const neverTaken = wasNeverTaken(failed);
      if (neverTaken) this.story.tell('looking up', `no worker took it before its time was over; ${asking(plan)}`);
      else this.story.doubt(`${doubt}; ${asking(plan)}`);
      // The truth is wanted even if the job is cancelled meanwhile.
      const answer = await CancellationScope.nonCancellable(() => this.findOut(plan, activityId, neverTaken));
      switch (answer.outcome) {
        case 'done':
          this.story.tell('done', `found: ${plan.summary}${orderOf(answer.result)}`);
          this.story.outcome('done');
          return answer.result;
        case 'rejected':
          throw this.failure(plan, answer.category, answer.message, answer.code);
        case 'absent':
          if (CancellationScope.current().consideredCancelled)
            throw new CancelledFailure('cancelled; the act did not happen');
          if (plan.onAbsent !== 'resend' && answer.neverSent !== true)
            throw this.failure(plan, 'NOT_EXECUTED', notSentAgain(plan));
      }
    }
  }

  private act(
    activityType: string,
    plan: JobPlan,
    activityId: string,
    { jobMs, lifeMs }: { jobMs: number; lifeMs: number },
  ): Promise<unknown> {
    return this.start(activityType, [plan.input], {
      activityId,
      taskQueue: plan.taskQueue,
      summary: plan.summary,
      startToCloseTimeout: plan.startToCloseMs,
      // A cancelled job learns what its act came to: the SDK's own default would report "cancelled" while the order executes.
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      // It may wait for a worker as long as it may still leave: that no worker took it proves that it did not leave.
      scheduleToStartTimeout: Math.max(Math.min(jobMs, lifeMs), 1),
      scheduleToCloseTimeout: Math.min(jobMs, Math.max(lifeMs, 0) + ANSWER_MS),
      heartbeatTimeout: plan.heartbeatMs,
      retry: {
        initialInterval: plan.initialIntervalMs,
        maximumInterval: plan.maximumIntervalMs,
        // An attempt that Temporal gave up may have acted: it is looked up, never simply repeated.
        nonRetryableErrorTypes: ['TemporalTimeout:StartToClose', 'TemporalTimeout:Heartbeat'],
      },
    });
  }

  /** Looks until it is known what became of the act; parks for a person where looking cannot tell. */
  private async findOut(
    plan: JobPlan,
    givenUp: string,
    neverTaken: boolean,
  ): Promise<Exclude<LookUpAnswer, { outcome: 'manual' }>> {
    const { jobType, input, onAbsent } = plan;
    const request: LookUpInput = { jobType, input, givenUp, onAbsent, ...(neverTaken && { neverTaken }) };
    for (;;) {
      const looked = await this.ask(plan, 'lookUp', [request], question(plan));
      if (looked.outcome !== 'manual') {
        this.parking.leave(plan);
        return looked;
      }
      const answer = await this.parking.wait(plan, looked.evidence, (resolution: Resolution) =>
        this.ask(plan, 'resolveIntent', [request, resolution], `${resolution.actor} decides: ${resolution.decision}`),
      );
      // Nobody decided for a while, or the record was resolved otherwise before the decision came: it is read again.
      if (answer === undefined || answer.outcome === 'manual') continue;
      this.parking.leave(plan);
      return answer;
    }
  }

  private ask(plan: JobPlan, activityType: string, args: unknown[], summary: string): Promise<LookUpAnswer> {
    const { startToCloseMs, initialIntervalMs, maximumIntervalMs } = plan.lookUp;
    return this.start(activityType, args, {
      activityId: this.nextId(activityType),
      taskQueue: plan.lookUpQueue,
      summary,
      startToCloseTimeout: startToCloseMs,
      heartbeatTimeout: plan.heartbeatMs,
      retry: { initialInterval: initialIntervalMs, maximumInterval: maximumIntervalMs },
    }) as Promise<LookUpAnswer>;
  }

  private start(activityType: string, args: unknown[], options: ActivityOptions): Promise<unknown> {
    const activities = proxyActivities<Activities>(options);
    const activity = activities[activityType];
    if (!activity) throw new Error(`no activity ${activityType}`);
    return activity(...args);
  }

  private nextId(what: string): string {
    const id = `${what}-${this.own.size + 1}`;
    this.own.add(id);
    return id;
  }

  private finalFailure(plan: JobPlan, error: unknown): unknown {
    if (isCancellation(error)) return error;
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (!(cause instanceof ApplicationFailure)) return error;
    const type = cause.type ?? 'INTERNAL';
    const details = cause.details?.[0] as Partial<FailureDetails> | undefined;
    return HOLDS.has(type)
      ? this.failure(plan, 'EXPIRED', `${cause.message}; the job's time is over`)
      : this.failure(plan, type, cause.message, details?.code);
  }

  private failure(plan: JobPlan, category: string, message: string, code?: number | string): ApplicationFailure {
    this.story.tell('failed', `${category}: ${message}`);
    this.story.outcome(category);
    const details: FailureDetails = {
      intentId: plan.intentId,
      category,
      venue: plan.venue,
      ...(code === undefined ? {} : { code }),
      message,
    };
    return ApplicationFailure.create({ type: category, message, nonRetryable: true, details: [details] });
  }
}

function begins({ summary, held }: JobPlan): string {
  return held === undefined ? summary : `${summary}: waits in its queue, nothing is sent, as ${held}`;
}

/** Why it is not known whether the act happened; `undefined` when it is. */
function doubtOf(error: unknown): string | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const { cause } = error;
  if (cause instanceof ApplicationFailure && DOUBTS.has(cause.type ?? '')) return cause.message;
  if (cause instanceof TimeoutFailure) return `the worker's answer did not come (${cause.timeoutType})`;
  return undefined;
}

/** Whether no worker had it, or each that did says that it neither acted nor saw a record. */
function wasNeverTaken(error: unknown): boolean {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return false;
  const { timeoutType, lastHeartbeatDetails } = error.cause;
  const last = lastHeartbeatDetails as { sends?: number } | undefined;
  return timeoutType === 'SCHEDULE_TO_START' && (last === undefined || last.sends === 0);
}

function timeOver({ jobMs, lifeMs }: { jobMs: number; lifeMs: number }): string {
  return lifeMs < jobMs ? 'expiresAt has passed' : "the job's time is over";
}

function orderOf(result: JobResult): string {
  return 'order' in result ? `, order ${result.order.orderId} ${result.order.status}` : '';
}
