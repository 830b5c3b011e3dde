import { proxyActivities } from '@temporalio/workflow';
import type { LookUpAnswer, LookUpInput } from '../src/domain/job-plan';
import { lookUpQueue } from '../src/domain/job-types';
import type { SweepReport, SweepStep } from '../src/domain/sweep';

interface Activities {
  sweepStep(venue: string, from: number): Promise<SweepStep>;
  lookUp(request: LookUpInput): Promise<LookUpAnswer>;
}

/**
 * Looks after acts in doubt whose own workflow has ended (terminated, timed out, retention passed): asks the venue what became
 * of each and writes it down. Bounded steps over the in-flight set; run by the schedule `sweep:<venue>`.
 */
export async function sweep(venue: string): Promise<SweepReport> {
  const taskQueue = lookUpQueue(venue);
  const { sweepStep } = proxyActivities<Activities>({
    taskQueue,
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '5 minutes',
  });
  const { lookUp } = proxyActivities<Activities>({
    taskQueue,
    startToCloseTimeout: '30 seconds',
    // What is not known by then is looked at again by the next sweep.
    scheduleToCloseTimeout: '5 minutes',
  });
  const report: SweepReport = { looked: 0, orphans: 0, resolved: 0, forPerson: 0 };
  for (;;) {
    const step = await sweepStep(venue, report.looked);
    if (step.looked === 0) return report;
    report.looked += step.looked;
    report.orphans += step.orphans.length;
    report.forPerson += step.forPerson;
    const answers = await Promise.allSettled(step.orphans.map((orphan) => lookUp(orphan)));
    for (const answer of answers) {
      if (answer.status === 'rejected') continue;
      if (answer.value.outcome === 'manual') report.forPerson += 1;
      else report.resolved += 1;
    }
  }
}
