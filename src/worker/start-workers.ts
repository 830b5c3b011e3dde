import { Worker, type WorkerOptions } from '@temporalio/worker';
import { effectQueue, queuesOf, WORKFLOW_QUEUE } from '../domain/job-types';
import { workflowBundle } from './bundle';
import type { Controls } from './controls';
import { slotsOf } from './gate';
import type { WorkerGroup } from './group';
import type { Services } from './services';

/** What all Temporal workers of a process share. */
export type CommonOptions = Omit<WorkerOptions, 'taskQueue'>;

/**
 * Starts the Temporal workers of a process that does effects: fillsafe's workflows, and for each venue the effects and the
 * look-ups, each on its own task queue. What adds risk begins last, when Redis holds what people ordered of the breakers. Resolves
 * when all of them poll, or when the group has ended before.
 */
export async function startWorkers(
  group: WorkerGroup,
  { runtime }: Services,
  controls: Controls,
  options: CommonOptions,
): Promise<void> {
  const effectWorker = (taskQueue: string): Promise<Worker> =>
    Worker.create({
      ...options,
      taskQueue,
      ...slotsOf(runtime, taskQueue),
      activityTaskPollerBehavior: { type: 'autoscaling' },
    });
  const { effects } = runtime;
  const held = effects.heldPlaces().map(({ jobType, venue }) => effectQueue(jobType, venue));
  const others = queuesOf(effects.places()).filter((queue) => !held.includes(queue));
  group.run(await Promise.all([workflowWorker(options), ...others.map(effectWorker)]));
  await Promise.race([controls.restored(), group.done]);
  group.run(await Promise.all(held.map(effectWorker)));
}

async function workflowWorker(options: CommonOptions): Promise<Worker> {
  return Worker.create({
    ...options,
    taskQueue: WORKFLOW_QUEUE,
    workflowBundle: await workflowBundle(),
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    // A workflow whose worker died waits this long for it; Temporal's default is 10 s.
    stickyQueueScheduleToStartTimeout: 3_000,
  });
}
