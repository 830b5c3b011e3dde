import type { Context } from '@temporalio/activity';

/** Names of the running activity in records: `run` is its workflow run, `activity` the activity within it. No line breaks. */
export function activityOwner(context: Context): { run: string; activity: string } {
  const { workflowExecution, activityId } = context.info;
  const workflow = workflowExecution;
  const run = workflow ? `${encodeURI(workflow.workflowId)}/${workflow.runId}` : 'standalone';
  return { run, activity: `${run}/${encodeURIComponent(activityId)}` };
}

/** The activity that a record names as its owner, as `activityOwner` wrote it. */
export function parseOwner(owner: string): { workflowId: string; runId: string; activityId: string } {
  const parts = owner.split('/');
  const activityId = decodeURIComponent(parts.pop() ?? '');
  const runId = parts.pop() ?? '';
  return { workflowId: decodeURI(parts.join('/')), runId, activityId };
}

/** Heartbeats until the answer is called, so that a worker that is gone is noticed within seconds. */
export function keepAlive(context: Context): () => void {
  const timeout = context.info.heartbeatTimeoutMs;
  if (!timeout) return () => undefined;
  const timer = setInterval(() => context.heartbeat(), timeout / 4);
  return () => clearInterval(timer);
}

/** Ms left of the activity's schedule-to-close, waiting included; `undefined` when there is no such limit. */
export function remainingMs(context: Context, elapsedMs: number): number | undefined {
  const { scheduleToCloseTimeoutMs, scheduledTimestampMs, currentAttemptScheduledTimestampMs } = context.info;
  if (!scheduleToCloseTimeoutMs) return undefined;
  // Both times are the server's; what has passed since is this process's own.
  return scheduleToCloseTimeoutMs - (currentAttemptScheduledTimestampMs - scheduledTimestampMs) - elapsedMs;
}
