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

interface Parked {
  jobType: string;
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
        'decides a parked job: {decision: done|absent|rejected, reason, actor, orderId?, result?, confirm?, intentId?}',
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
    let parked = this.parked.get(intentId);
    if (!parked) {
      parked = { jobType, decide, recheckMs: FIRST_RECHECK_MS };
      this.parked.set(intentId, parked);
      const how = 'Decide with `fillsafe guard resolve` or the update `resolve`';
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
  leave(intentId: string): void {
    this.parked.delete(intentId);
  }

  private async resolve(resolution: Resolution): Promise<JobStatus> {
    const parked = this.meant(resolution);
    const { actor, decision, reason } = resolution;
    this.story.tell('parked', `${actor} decides "${decision}": ${reason}`);
    try {
      // Should the wait have ended meanwhile, the decision is in the record, where the next look finds it.
      parked.answer = await parked.decide(resolution);
    } catch (error) {
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
      throw refused('resolve needs {decision, reason, actor, orderId?, result?, confirm?, intentId?}');
    }
    const { decision, reason, actor, orderId, result, confirm, intentId } = resolution;
    const waiting = [...this.parked.keys()];
    if (waiting.length === 0) throw refused('this job waits for nobody: there is nothing to resolve');
    if (intentId === undefined && waiting.length > 1) {
      throw refused(`intentId: missing, as several wait: ${waiting.join(', ')}`);
    }
    const parked = this.parked.get(intentId ?? waiting[0] ?? '');
    if (!parked) throw refused(`intentId: ${intentId} does not wait; waiting: ${waiting.join(', ')}`);
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
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'INVALID');
}
