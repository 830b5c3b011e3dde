import { WorkflowNotFoundError } from '@temporalio/client';
import type { FillsafeClient } from '../client/client';
import { readJobHistory, type JobHistory } from '../client/job-history';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { isJobType, workflowIdOf } from '../domain/job-types';
import { parseOwner } from '../interceptors/activity-context';
import { findRecord } from './guard';

/** The workflow that a decision about an intent goes to. */
export interface DecidedJob {
  workflowId: string;
  runId: string | undefined;
  isRunning: boolean;
  /** What it was started with, for a job of fillsafe's own workflows. */
  input: object | undefined;
}

/**
 * The job of an intent; `undefined` where Temporal knows none. What people define runs in workflows of any name: there the record
 * tells which one acted last.
 */
export async function theJob(
  client: FillsafeClient,
  config: FillsafeConfig,
  about: { jobType: string; intentId: string; venue: string | undefined },
): Promise<DecidedJob | undefined> {
  const { workflowId, runId } = isJobType(about.jobType)
    ? { workflowId: workflowIdOf(about.jobType, about.intentId) }
    : await ownerOf(config, about);
  let job: JobHistory;
  try {
    job = await readJobHistory(client.temporal, workflowId, runId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
  const isRunning = job.state.status === 'running' || job.state.status === 'manual';
  return { workflowId, runId, isRunning, input: isJobType(about.jobType) ? job.input : undefined };
}

async function ownerOf(
  config: FillsafeConfig,
  about: { jobType: string; intentId: string; venue: string | undefined },
): Promise<{ workflowId: string; runId?: string }> {
  const store = await openGuard(config);
  try {
    const { record } = await findRecord(config, store, about);
    return parseOwner(record.owner);
  } finally {
    store.close();
  }
}
