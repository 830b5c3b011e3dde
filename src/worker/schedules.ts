import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { WORKFLOW_QUEUE } from '../domain/job-types';

/** Seldom: it only finds what a workflow left behind that was ended from outside. */
const SWEEP_EVERY = '5 minutes';

/** Makes the schedule `sweep:<venue>` of each venue where there is none; one that a person has changed or paused stays so. */
export async function ensureSweeps(client: Client, venues: Iterable<string>, log: Logger): Promise<void> {
  for (const venue of new Set(venues)) {
    try {
      await client.schedule.create({
        scheduleId: `sweep:${venue}`,
        spec: { intervals: [{ every: SWEEP_EVERY }] },
        action: {
          type: 'startWorkflow',
          workflowType: 'sweep',
          workflowId: `sweep:${venue}`,
          taskQueue: WORKFLOW_QUEUE,
          args: [venue],
        },
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
        memo: { note: `looks after acts in doubt at ${venue} whose workflow has ended` },
      });
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning) continue;
      // Acts are safe without it; what a terminated job leaves in doubt stays in `fillsafe guard unknown`.
      log.warn({ venue, err: error }, 'the schedule of the sweep could not be made');
    }
  }
}
