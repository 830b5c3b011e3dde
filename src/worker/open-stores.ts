import type { Client } from '@temporalio/client';
import type { FillsafeConfig } from '../config/schema';
import { JOB_TYPES, JOBS } from '../domain/job-types';
import type { Guard } from '../guard/guard';
import { quiesceMs, venueTimes } from '../policy/job-policy';

const COUNT_LIMIT_MS = 5_000;

/**
 * Compares what Redis holds of each venue with what is known of it, before the first act. A store that is missing is a new
 * one only where Temporal knows of no job for that venue; else Redis has lost it, and acts are looked up first for a while.
 *
 * @param client where Temporal can be asked; without one a missing store counts as lost.
 */
export async function openStores(
  config: FillsafeConfig,
  guard: Guard,
  { client, searchAttributes }: { client: Client | undefined; searchAttributes: boolean },
): Promise<void> {
  const open = async (venue: string): Promise<void> => {
    const quiesce = quiesceMs(venueTimes(config, venue));
    const neverUsed = client !== undefined && (await knowsNoJob(client, venue, searchAttributes));
    await guard.store.open(venue, { quiesceMs: quiesce, neverUsed });
  };
  await Promise.all(Object.keys(config.venues).map(open));
}

async function knowsNoJob(client: Client, venue: string, searchAttributes: boolean): Promise<boolean> {
  const types = JOB_TYPES.map((jobType) => `"${JOBS[jobType].activity}"`).join(', ');
  const query = searchAttributes ? `FillsafeVenue = "${venue}"` : `WorkflowType IN (${types})`;
  try {
    const { count } = await client.connection.withDeadline(Date.now() + COUNT_LIMIT_MS, () =>
      client.workflow.count(query),
    );
    return count === 0;
  } catch {
    // Who cannot be asked vouches for nothing.
    return false;
  }
}
