import { Worker, type WorkerOptions } from '@temporalio/worker';
import { effectQueue, queuesOf, WORKFLOW_QUEUE, type Place } from '../domain/job-types';
import { workflowBundle } from './bundle';
import type { Controls } from './controls';
import { gated } from './gate';
import type { WorkerGroup } from './group';
import type { Services } from './services';

type Taking = Pick<WorkerOptions, 'tuner' | 'maxConcurrentActivityTaskExecutions' | 'activityTaskPollerBehavior'>;

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
  const { effects, config } = runtime;
  // By its venue's clock an order expires that waits in its queue. A venue that is away is asked again by its first act.
  for (const effect of effects.all)
    for (const venue of effect.venues) effect.readyClock(venue, { again: false }).catch(() => undefined);
  const free: Taking = {
    maxConcurrentActivityTaskExecutions: config.worker.concurrency,
    activityTaskPollerBehavior: { type: 'autoscaling' },
  };
  const effectWorker = (taskQueue: string, taking: Taking): Promise<Worker> =>
    Worker.create({ ...options, taskQueue, ...taking });
  const held = effects.heldPlaces();
  const heldQueues = held.map(queueOf);
  const others = queuesOf(effects.places()).filter((queue) => !heldQueues.includes(queue));
  group.run(await Promise.all([workflowWorker(options), ...others.map((queue) => effectWorker(queue, free))]));
  await Promise.race([controls.restored(), group.done]);
  // What holds a place now holds it from the first poll on.
  await runtime.breakerWatch.refresh();
  group.run(await Promise.all(held.map((place) => effectWorker(queueOf(place), gated(runtime, place)))));
}

function queueOf({ jobType, venue }: Place): string {
  return effectQueue(jobType, venue);
}

async function workflowWorker(options: CommonOptions): Promise<Worker> {
  return Worker.create({
    ...options,
    taskQueue: WORKFLOW_QUEUE,
    workflowBundle: await workflowBundle(),
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    // A workflow whose worker died waits this long for it; Temporal's default is 10 s.
    stickyQueueScheduleToStartTimeout: 3_000,
    // A query to a worker that has just started can, by a fault of the SDK (1.24), leave a history behind that does not replay.
    // Nobody could order a breaker whose workflow is stuck so: it ends, and the next one takes over from Redis.
    workflowFailureErrorTypes: { '*': [], breakerControl: ['NondeterminismError'] },
  });
}
