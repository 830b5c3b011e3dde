import type { Sighting } from '../src/guard/effect';
import { isLateToSend } from '../src/guard/ticket';
import { isVenueError } from '../src/venues/port';

/** The venue's answers do not fit together yet. */
export class InconclusiveLookError extends Error {
  override readonly name = 'InconclusiveLookError';
}

/** Runs one look; a venue that gives no answer has shown nothing, which is not the same as "nothing there". */
export async function lookAt<Result>(look: () => Promise<Sighting<Result>>): Promise<Sighting<Result>> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof InconclusiveLookError) return { kind: 'inconclusive', evidence: error.message };
    if (isLateToSend(error)) return { kind: 'inconclusive', evidence: 'the look took too long to act on what it saw' };
    if (!isVenueError(error)) throw error;
    const { category } = error.verdict;
    const { retryAfterMs: waitMs } = error.verdict;
    return { kind: 'inconclusive', evidence: `the venue could not be asked: ${category}, ${error.message}`, waitMs };
  }
}
