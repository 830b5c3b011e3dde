import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  setHandler,
} from '@temporalio/workflow';
import type { JobStatus, LookUpAnswer, Resolution } from '../../domain/job-plan';
import type { Story } from './story';

export const resolveUpdate = defineUpdate<JobStatus, [Resolution]>('resolve');
export const resolveSignal = defineSignal<[Resolution]>('resolve');
export const statusQuery = defineQuery<JobStatus>('status');

interface Parked {
  decide: (resolution: Resolution) => Promise<LookUpAnswer>;
  answer?: LookUpAnswer;
}

/** Where jobs wait that only a person can decide: opens the messages `resolve` and `status` of the workflow. */
export class Parking {
  private parked: Parked | undefined;

  constructor(private readonly story: Story) {}

  openMessages(): void {
    setHandler(statusQuery, () => this.story.status(), { description: 'what the job is doing, in words' });
    setHandler(resolveUpdate, (resolution) => this.resolve(resolution), {
      description: 'decides a parked job: {decision: done|absent|rejected, reason, actor, orderId?}',
      validator: (resolution) => this.check(resolution),
    });
    // A signal has no answer: what is wrong with one shows in the current details and in the log.
    setHandler(resolveSignal, async (resolution) => {
      try {
        this.check(resolution);
        await this.resolve(resolution);
      } catch (error) {
        const message =
          error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
        log.warn('a resolve signal was refused', { reason: message });
        this.story.tell(this.story.status().stage, `a resolve signal was refused: ${message}`);
      }
    });
  }

  /** Waits, for as long as it takes, until a person has decided. */
  async wait(evidence: string, decide: Parked['decide']): Promise<LookUpAnswer> {
    const parked: Parked = { decide };
    this.parked = parked;
    this.story.tell(
      'parked',
      `waits for a person: ${evidence}. Decide with \`fillsafe guard resolve\` or the update \`resolve\``,
    );
    this.story.outcome('parked');
    await condition(() => parked.answer !== undefined);
    this.parked = undefined;
    return parked.answer as LookUpAnswer;
  }

  private async resolve(resolution: Resolution): Promise<JobStatus> {
    const { parked } = this;
    if (!parked) throw refused('this job waits for nobody: there is nothing to resolve');
    this.story.tell('parked', `${resolution.actor} decided "${resolution.decision}": ${resolution.reason}`);
    const answer = await parked.decide(resolution);
    parked.answer ??= answer;
    return this.story.status();
  }

  private check(resolution: Resolution | null | undefined): void {
    if (!this.parked) throw refused('this job waits for nobody: there is nothing to resolve');
    if (typeof resolution !== 'object' || resolution === null)
      throw refused('resolve needs {decision, reason, actor, orderId?}');
    const { decision, reason, actor, orderId } = resolution;
    if (!['done', 'absent', 'rejected'].includes(decision)) throw refused('decision: must be done, absent or rejected');
    if (typeof reason !== 'string' || reason.trim() === '') throw refused('reason: missing, it is kept in the audit');
    if (typeof actor !== 'string' || actor.trim() === '') throw refused('actor: missing, it is kept in the audit');
    const hasOrderId = typeof orderId === 'string' && /^\d{1,20}$/.test(orderId);
    if (decision === 'done' && !hasOrderId)
      throw refused("orderId: the venue's order id, as a string of digits, is needed for done");
  }
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'INVALID');
}
