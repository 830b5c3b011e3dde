import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { JOB_TYPES, JOBS, type JobType } from '../domain/job-types';

const PAGE_SIZE = 500;

/** Visibility query for the workflows of these job types, all by default, with `also` as a further condition. */
export function jobsQuery({
  jobTypes = JOB_TYPES,
  also,
}: { jobTypes?: readonly JobType[]; also?: string } = {}): string {
  const types = jobTypes.map((jobType) => `'${JOBS[jobType].activity}'`).join(', ');
  const base = `WorkflowType IN (${types})`;
  return also === undefined ? base : `${base} AND (${also})`;
}

/** All workflows of a query, newest first, page by page. Visibility lags behind the truth by a moment. */
export function listJobs(client: Client, query: string): AsyncIterable<WorkflowExecutionInfo> {
  return client.workflow.list({ query, pageSize: PAGE_SIZE });
}

/** Does something for each item, `atOnce` at a time (default 16); items are taken only as fast as they are done. */
export async function forEachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  { atOnce = 16 }: { atOnce?: number } = {},
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  for await (const item of items) {
    if (failed) break;
    const job: Promise<void> = work(item)
      .catch((error: unknown) => void (failed ??= { error }))
      .finally(() => running.delete(job));
    running.add(job);
    if (running.size >= atOnce) await Promise.race(running);
  }
  await Promise.all(running);
  if (failed) throw failed.error;
}
