import { reportOf, type Hold, type VenueHealth } from '../src/breaker/report';
import type { Sighting } from '../src/guard/effect';
import { isLateToSend } from '../src/guard/ticket';
import { isVenueError } from '../src/venues/port';

/** The venue's answers do not fit together yet. */
export class InconclusiveLookError extends Error {
  override readonly name = 'InconclusiveLookError';
}

/** What a look showed, and what it says about the venue's health. */
export interface Seen<Result> {
  sighting: Sighting<Result>;
  health: VenueHealth;
  hold?: Hold | undefined;
}

/** Runs one look; a venue that gives no answer has shown nothing, which is not the same as "nothing there". */
export async function lookAt<Result>(look: () => Promise<Sighting<Result>>): Promise<Seen<Result>> {
  const nothing = (evidence: string): Seen<Result> => {
    return { sighting: { kind: 'inconclusive', evidence }, health: 'none' };
  };
  try {
    const sighting = await look();
    return { sighting, health: sighting.kind === 'inconclusive' ? 'none' : 'ok' };
  } catch (error) {
    if (error instanceof InconclusiveLookError) return nothing(error.message);
    if (isLateToSend(error)) return nothing('the look took too long to act on what it saw');
    if (!isVenueError(error)) throw error;
    const { category, retryAfterMs: waitMs } = error.verdict;
    const evidence = `the venue could not be asked: ${category}, ${error.message}`;
    return { sighting: { kind: 'inconclusive', evidence, waitMs }, ...reportOf(error.verdict, error.message) };
  }
}
