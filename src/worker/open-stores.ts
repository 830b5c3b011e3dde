import type { Client } from '@temporalio/client';
import { BOOKS, JOB_TYPES, JOBS } from '../domain/job-types';
import type { Runtime } from '../interceptors/runtime';

const COUNT_LIMIT_MS = 5_000;

/**
 * Compares what Redis holds of each venue with what is known of it, before the first act. A store that is missing is a new
 * one only where Temporal knows of no job for that venue; else Redis has lost it, and acts are looked up first for a while.
 *
 * @param client where Temporal can be asked; without one a missing store counts as lost.
 */
export async function openStores(
  { effects, guard }: Runtime,
  { client, searchAttributes }: { client: Client | undefined; searchAttributes: boolean },
): Promise<void> {
  const open = async (venue: string): Promise<void> => {
    const there = effects.all.filter(({ venues }) => venues.includes(venue));
    const quiesceMs = Math.max(...there.map((effect) => effect.absence(venue).quiesceMs));
    const neverUsed = client !== undefined && (await knowsNoJob(client, venue, searchAttributes));
    await guard.store.open(venue, { quiesceMs, neverUsed });
  };
  await Promise.all([...new Set(effects.places().map(({ venue }) => venue))].map(open));
}

async function knowsNoJob(client: Client, venue: string, searchAttributes: boolean): Promise<boolean> {
  const types = JOB_TYPES.map((jobType) => `"${JOBS[jobType].activity}"`).join(', ');
  // Without search attributes any workflow may have done what people defined.
  const query = searchAttributes
    ? `FillsafeVenue = "${venue}"`
    : venue === BOOKS
      ? undefined
      : `WorkflowType IN (${types})`;
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
