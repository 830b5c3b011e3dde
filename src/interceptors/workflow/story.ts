import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertMemo, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { ALL, controlId, scopeOf } from '../../breaker/scope';
import type { JobPlan, JobStatus } from '../../domain/job-plan';
import { workflowIdOf } from '../../domain/job-types';

const JOB_TYPE = defineSearchAttributeKey('FillsafeJobType', 'KEYWORD');
const VENUE = defineSearchAttributeKey('FillsafeVenue', 'KEYWORD');
const SYMBOL = defineSearchAttributeKey('FillsafeSymbol', 'KEYWORD');
const INTENT = defineSearchAttributeKey('FillsafeIntent', 'KEYWORD');
const OUTCOME = defineSearchAttributeKey('FillsafeOutcome', 'KEYWORD');

/** What a job tells people while it runs: current details and search attributes in the UI, and the query `status`. */
export class Story {
  private plan: JobPlan | undefined;
  private readonly events: string[] = [];
  private current: Omit<JobStatus, 'intentId' | 'jobType' | 'venue'> = {
    stage: 'planning',
    doing: 'checking the input',
    doubts: 0,
  };

  begin(plan: JobPlan): void {
    this.plan = plan;
    const { workflowId, memo } = workflowInfo();
    // A job started by hand has no fingerprint in its memo: from here on a second submit can be compared with it.
    if (workflowId === workflowIdOf(plan.jobType, plan.intentId) && memo?.['fingerprint'] === undefined) {
      upsertMemo({ fingerprint: plan.fingerprint });
    }
    // What the starter has set already is not written again: each write is an event in the history.
    if (!plan.searchAttributes || workflowInfo().typedSearchAttributes.get(INTENT) === plan.intentId) return;
    upsertSearchAttributes([
      { key: JOB_TYPE, value: plan.jobType },
      { key: VENUE, value: plan.venue },
      ...(plan.symbol === undefined ? [] : [{ key: SYMBOL, value: plan.symbol }]),
      { key: INTENT, value: plan.intentId },
    ]);
  }

  tell(stage: JobStatus['stage'], doing: string): void {
    this.current = { ...this.current, stage, doing };
    this.events.push(`${new Date().toISOString()} ${doing}`);
    setCurrentDetails(this.page());
  }

  doubt(doing: string): void {
    this.current = { ...this.current, doubts: this.current.doubts + 1 };
    this.tell('looking up', doing);
  }

  /** Sets the outcome by which jobs are found: `done`, `parked`, or the category that ended it. */
  outcome(outcome: string): void {
    if (this.plan?.searchAttributes) upsertSearchAttributes([{ key: OUTCOME, value: outcome }]);
  }

  status(): JobStatus {
    const { intentId = '', jobType = '', venue = '' } = this.plan ?? {};
    return { intentId, jobType, venue, ...this.current };
  }

  private page(): string {
    const { plan, current, events } = this;
    return [
      `**${plan?.summary ?? ''}**`,
      '',
      `Now: ${current.doing}`,
      '',
      ...events.slice(-20).map((event) => `- ${event}`),
      ...(plan && current.stage === 'acting' ? ['', `What may hold it: ${breakersOf(plan)}`] : []),
    ].join('\n');
  }
}

/** Where the UI tells how they stand. */
function breakersOf({ venue, jobType }: JobPlan): string {
  return [scopeOf(venue, jobType), venue, ALL].map((scope) => `\`${controlId(scope)}\``).join(', ');
}
