import type { Client } from '@temporalio/client';
import { effectQueue, type Place } from '../src/domain/job-types';

/** The queue type of activities, as Temporal numbers it. */
const ACTIVITY = 2;
/** Tells our limits from those that people set. */
const MARK = 'fillsafe kill: ';
const CALL_LIMIT_MS = 3_000;

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
export async function matchKillsToQueues<P extends Place>(
  client: Client,
  places: readonly P[],
  killOf: (place: P) => Promise<Kill>,
): Promise<string[]> {
  const notes = await Promise.all(
    places.map(async (place) => match(client, effectQueue(place.jobType, place.venue), await killOf(place))),
  );
  return notes.filter((note) => note !== undefined);
}

async function match(client: Client, queue: string, { kill, killedBy, killReason }: Kill): Promise<string | undefined> {
  try {
    const found = await limitOf(client, queue);
    if (!kill) {
      if (found !== 'ours') return undefined;
      await limit(client, queue, undefined);
      return `Temporal gives out ${queue} again`;
    }
    if (found === 'ours') return undefined;
    if (found === 'theirs')
      return `Temporal does not hold ${queue} beside the breaker: somebody set a limit of its own`;
    await limit(client, queue, `${MARK}${killedBy}: ${killReason}`);
    return `Temporal holds ${queue}`;
  } catch (error) {
    // The breaker in Redis holds all the same.
    const message = (error as Error).message;
    return kill ? `Temporal does not hold ${queue} beside the breaker: ${message}` : undefined;
  }
}

async function limitOf(client: Client, queue: string): Promise<'none' | 'ours' | 'theirs'> {
  const { config } = await withinLimit(client, () =>
    client.connection.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: queue },
      taskQueueType: ACTIVITY,
      reportConfig: true,
    }),
  );
  const { rateLimit, metadata } = config?.queueRateLimit ?? {};
  if (!rateLimit) return 'none';
  return metadata?.reason?.startsWith(MARK) ? 'ours' : 'theirs';
}

/** No reason takes the limit away. */
async function limit(client: Client, queue: string, reason: string | undefined): Promise<void> {
  await withinLimit(client, () =>
    client.connection.workflowService.updateTaskQueueConfig({
      namespace: client.options.namespace,
      identity: client.options.identity,
      taskQueue: queue,
      taskQueueType: ACTIVITY,
      updateQueueRateLimit:
        reason === undefined ? { reason: 'the kill was lifted' } : { rateLimit: { requestsPerSecond: 0 }, reason },
    }),
  );
}

function withinLimit<T>({ connection }: Client, call: () => Promise<T>): Promise<T> {
  return connection.withDeadline(Date.now() + CALL_LIMIT_MS, call);
}
