import type { Client } from '@temporalio/client';
import { effectQueue, JOB_TYPES, lookUpQueue, WORKFLOW_QUEUE } from '../domain/job-types';

/** Values of Temporal's TaskQueueType. */
const WORKFLOW = 1;
const ACTIVITY = 2;

/** A task queue that jobs need, with how many pollers were seen on it in the last minutes. */
export interface QueuePollers {
  queue: string;
  pollers: number;
  /** Names of the processes that poll. */
  identities: string[];
}

/** Asks Temporal who polls each task queue that jobs at these venues need. */
export async function queuePollers(client: Client, venues: readonly string[]): Promise<QueuePollers[]> {
  const queues: [string, number][] = [
    [WORKFLOW_QUEUE, WORKFLOW],
    ...venues.flatMap((venue): [string, number][] => [
      ...JOB_TYPES.map((jobType): [string, number] => [effectQueue(jobType, venue), ACTIVITY]),
      [lookUpQueue(venue), ACTIVITY],
    ]),
  ];
  return client.connection.withDeadline(Date.now() + 5_000, () =>
    Promise.all(
      queues.map(async ([queue, taskQueueType]) => {
        const { pollers } = await client.workflowService.describeTaskQueue({
          namespace: client.options.namespace,
          taskQueue: { name: queue },
          taskQueueType,
        });
        const identities = [...new Set((pollers ?? []).map(({ identity }) => identity ?? ''))];
        return { queue, pollers: identities.length, identities };
      }),
    ),
  );
}
