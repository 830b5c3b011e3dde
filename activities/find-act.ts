import { isGrpcServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { parseOwner } from '../src/interceptors/activity-context';

/** What Temporal knows of an act: its workflow still runs, or has ended and this is what the act was given; or nothing. */
export type FoundAct = { state: 'running' } | { state: 'ended'; input: object } | { state: 'gone' };

const GRPC_NOT_FOUND = 5;

/** Finds the act that a record names as its owner: `<workflow id>/<run id>/<activity id>`, as `activityOwner` writes it. */
export async function findAct(client: Client, owner: string): Promise<FoundAct> {
  const { workflowId, runId, activityId } = parseOwner(owner);
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') return { state: 'running' };
    const { events } = await handle.fetchHistory();
    const scheduled = events
      ?.map((event) => event.activityTaskScheduledEventAttributes)
      .find((attributes) => attributes?.activityId === activityId);
    const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
    let payloads = scheduled?.input?.payloads ?? [];
    for (const codec of payloadCodecs) payloads = await codec.decode(payloads);
    const input: unknown = payloads[0] && payloadConverter.fromPayload(payloads[0]);
    return typeof input === 'object' && input !== null ? { state: 'ended', input } : { state: 'gone' };
  } catch (error) {
    const notFound = isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND;
    if (error instanceof WorkflowNotFoundError || notFound) return { state: 'gone' };
    throw error;
  }
}
