import type { Client } from '@temporalio/client';
import { effectQueue, type Place } from '../src/domain/job-types';

/** The queue type of activities, as Temporal numbers it. */
const ACTIVITY = 2;
/** Tells our limits from those that people set. */
const MARK = 'fillsafe kill: ';

export interface Kill {
  kill: boolean;
  killedBy: string;
  killReason: string;
}

/**
 * A second belt for a kill: Temporal gives out no task of a killed queue, to workers of any language, whatever Redis says. It
 * stays when nobody is there to take it away; so every worker compares it with the kills that hold, at its start and each minute.
 * Limits that somebody else set are left alone. Answers what people should know of it.
 */
export async function matchKillsToQueues(
  client: Client,
  places: readonly Place[],
  killOf: (place: Place) => Promise<Kill>,
): Promise<string[]> {
  const notes: string[] = [];
  for (const place of places) {
    const queue = effectQueue(place.jobType, place.venue);
    const { kill, killedBy, killReason } = await killOf(place);
    try {
      const wanted = kill ? `${MARK}${killedBy}: ${killReason}` : undefined;
      const found = await limitOf(client, queue);
      if (wanted === undefined ? !found.isOurs : found.isOurs || found.isSet) continue;
      await limit(client, queue, wanted);
      notes.push(wanted === undefined ? `Temporal gives out ${queue} again` : `Temporal holds ${queue}`);
    } catch (error) {
      // The breaker in Redis holds all the same.
      notes.push(`Temporal cannot hold ${queue}: ${(error as Error).message}`);
    }
  }
  return notes;
}

async function limitOf({ connection, options }: Client, queue: string): Promise<{ isSet: boolean; isOurs: boolean }> {
  const { config } = await connection.workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: queue },
    taskQueueType: ACTIVITY,
    reportConfig: true,
  });
  const isSet = Boolean(config?.queueRateLimit?.rateLimit);
  return { isSet, isOurs: isSet && (config?.queueRateLimit?.metadata?.reason ?? '').startsWith(MARK) };
}

/** No reason takes the limit away. */
async function limit({ connection, options }: Client, queue: string, reason: string | undefined): Promise<void> {
  await connection.workflowService.updateTaskQueueConfig({
    namespace: options.namespace,
    identity: options.identity,
    taskQueue: queue,
    taskQueueType: ACTIVITY,
    updateQueueRateLimit:
      reason === undefined ? { reason: 'the kill was lifted' } : { rateLimit: { requestsPerSecond: 0 }, reason },
  });
}
