import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  setHandler,
} from '@temporalio/workflow';
import type { JobPlan, JobStatus, LookUpAnswer, Resolution } from '../../domain/job-plan';
import { isJobType } from '../../domain/job-types';
import type { Story } from './story';

export const resolveUpdate = defineUpdate<JobStatus, [Resolution]>('resolve');
export const resolveSignal = defineSignal<[Resolution]>('resolve');
export const statusQuery = defineQuery<JobStatus>('status');

/** The record may be resolved elsewhere, by the store or by another workflow: it is read again after this time, then rarer. */
const FIRST_RECHECK_MS = 15_000;
const LONGEST_RECHECK_MS = 600_000;

/** What one waits for: of two effects in a workflow the intents may have the same name. */
type Intent = Pick<JobPlan, 'jobType' | 'intentId'>;

interface Parked extends Intent {
  decide: (resolution: Resolution) => Promise<LookUpAnswer>;
  recheckMs: number;
  answer?: LookUpAnswer | undefined;
}

/** Where jobs wait that only a person can decide: opens the messages `resolve` and `status` of the workflow. */
export class Parking {
  private readonly parked = new Map<string, Parked>();

  constructor(private readonly story: Story) {}

  openMessages(): void {
    setHandler(statusQuery, () => this.story.status(), { description: 'what the job is doing, in words' });
    setHandler(resolveUpdate, (resolution) => this.resolve(resolution), {
      description:
        'decides a parked job: {decision: done|absent|rejected, reason, actor, orderId?, result?, confirm?, intentId?, jobType?}',
      validator: (resolution) => void this.meant(resolution),
    });
    // A signal has no answer: what is wrong with one shows in the current details and in the log.
    setHandler(resolveSignal, async (resolution) => {
      try {
        await this.resolve(resolution);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log.warn('a resolve signal was refused', { reason: message });
        this.story.tell(this.story.status().stage, `a resolve signal was refused: ${message}`);
      }
    });
  }

  /** Waits until a person has decided; answers `undefined` when the record should be read again, as it may be resolved there. */
  async wait(
    { intentId, jobType }: JobPlan,
    evidence: string,
    decide: Parked['decide'],
  ): Promise<LookUpAnswer | undefined> {
    const key = keyOf({ jobType, intentId });
    let parked = this.parked.get(key);
    if (!parked) {
      parked = { jobType, intentId, decide, recheckMs: FIRST_RECHECK_MS };
      this.parked.set(key, parked);
      const type = isJobType(jobType) ? '' : ` --type ${jobType}`;
      const how = `Decide with \`fillsafe guard resolve ${intentId}${type}\` or the update \`resolve\``;
      this.story.tell('parked', `${intentId} waits for a person: ${evidence}. ${how}`);
      this.story.outcome('parked');
    }
    const { recheckMs } = parked;
    parked.recheckMs = Math.min(recheckMs * 2, LONGEST_RECHECK_MS);
    await condition(() => parked.answer !== undefined, recheckMs);
    const { answer } = parked;
    parked.answer = undefined;
    return answer;
  }

  /** The intent waits no longer. */
  leave(intent: Intent): void {
    this.parked.delete(keyOf(intent));
  }

  private async resolve(resolution: Resolution): Promise<JobStatus> {
    const parked = this.meant(resolution);
    const { actor, decision, reason } = resolution;
    this.story.tell('parked', `${actor} decides "${decision}": ${reason}`);
    try {
      // Should the wait have ended meanwhile, the decision is in the record, where the next look finds it.
      parked.answer = await parked.decide(resolution);
    } catch (error) {
      // Whoever decides hears why it was not taken, and not that an activity failed.
      const cause = error instanceof ActivityFailure ? error.cause : error;
      const message = cause instanceof Error ? cause.message : String(cause);
      this.story.tell('parked', `${actor} decided "${decision}", not taken: ${message}`);
      throw refused(message);
    }
    return this.story.status();
  }

  /** The job that a resolution means; refuses one that is incomplete or means none. */
  private meant(resolution: Resolution | null | undefined): Parked {
    if (typeof resolution !== 'object' || resolution === null) {
      throw refused('resolve needs {decision, reason, actor, orderId?, result?, confirm?, intentId?, jobType?}');
    }
    const { decision, reason, actor, orderId, result, confirm } = resolution;
    const parked = this.waiting(resolution);
    if (!['done', 'absent', 'rejected'].includes(decision)) {
      throw refused('decision: must be done, absent or rejected');
    }
    if (typeof reason !== 'string' || reason.trim() === '') throw refused('reason: missing, it is kept in the audit');
    if (typeof actor !== 'string' || actor.trim() === '') throw refused('actor: missing, it is kept in the audit');
    const hasOrderId = typeof orderId === 'string' && /^\d{1,20}$/.test(orderId);
    if (decision === 'done' && isJobType(parked.jobType) && !hasOrderId) {
      throw refused("orderId: the venue's order id, as a string of digits, is needed for done");
    }
    if (result !== undefined && (typeof result !== 'object' || result === null || Array.isArray(result))) {
      throw refused('result: must be one object, what the act would have answered');
    }
    if (confirm !== undefined && typeof confirm !== 'string') throw refused('confirm: must be the code of the refusal');
    return parked;
  }

  private waiting({ intentId, jobType }: Resolution): Parked {
    const all = [...this.parked.values()];
    if (all.length === 0) throw refused('this job waits for nobody: there is nothing to resolve');
    const [parked, ...more] = all.filter(
      (each) =>
        (intentId === undefined || each.intentId === intentId) && (jobType === undefined || each.jobType === jobType),
    );
    const names = all.map((each) => `${each.intentId} (${each.jobType})`).join(', ');
    if (!parked) throw refused(`intentId: ${jobType ?? ''} ${intentId ?? ''} does not wait; waiting: ${names}`);
    if (more.length === 0) return parked;
    throw refused(`${intentId === undefined ? 'intentId' : 'jobType'}: missing, as several wait: ${names}`);
  }
}

function keyOf({ jobType, intentId }: Intent): string {
  return `${jobType}:${intentId}`;
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'INVALID');
}
