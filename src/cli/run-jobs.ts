import { refusalOf, type FillsafeClient, type SubmittedJob } from '../client/client';
import { forEachOf } from '../client/job-list';
import { workflowIdOf, type JobType } from '../domain/job-types';
import type { JobInput } from '../domain/order.schema';
import { jobLine, type JobLine } from './job-line';
import { WaitList } from './wait-list';

/** Starts on their way at the same time. The server, not the round trip, is then what limits. */
const STARTS_AT_ONCE = 50;
export interface CheckedRow {
  line: number;
  input: JobInput;
}

/**
 * Starts each job as it comes, and waits for each where asked, without holding up the next start. Memory stays flat but for
 * a few hundred bytes for each job that is waited for. Throws what is no refusal: Temporal went away.
 */
export async function runJobs(
  rows: AsyncIterable<CheckedRow>,
  options: {
    client: FillsafeClient;
    jobType: JobType;
    wait: boolean;
    /** From a job's start. */
    timeoutMs: number | undefined;
    onStarted(): void;
    onLine(line: JobLine): Promise<void>;
  },
): Promise<void> {
  const { client, jobType, wait, timeoutMs = Infinity, onStarted, onLine } = options;
  const waits = new WaitList();
  await forEachOf(
    rows,
    async ({ line, input }) => {
      let job: SubmittedJob;
      try {
        job = await client.submit(jobType, input);
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) throw error;
        const { intentId } = input;
        const workflowId = workflowIdOf(jobType, intentId);
        await onLine({ intentId, workflowId, status: 'refused', ...refusal, line });
        return;
      }
      onStarted();
      const { intentId, workflowId, replayed } = job;
      const about = { line, ...(replayed ? { replayed } : {}) };
      if (wait) {
        waits.add(job, Date.now() + timeoutMs, (outcome) => onLine(jobLine(outcome, about)));
        return;
      }
      // An intent that was used before may have its end already: then that is the answer.
      const known = replayed ? await job.outcome({ timeoutMs: 0 }) : undefined;
      const started = { intentId, workflowId, status: 'started' } as const;
      await onLine(jobLine(known && known.status !== 'running' ? known : started, about));
    },
    { atOnce: STARTS_AT_ONCE },
  ).catch(async (error: unknown) => {
    // What was started is told before the reason for stopping.
    await waits.end().catch(() => undefined);
    throw error;
  });
  await waits.end();
}
