import { createHash } from 'node:crypto';
import { levelsOf, type Levels } from '../../src/breaker/levels';
import { inflightMember, type IntentRef } from '../../src/guard/keys';
import type { BreakerModelSettings } from './breaker-model';
import { breakerSettingsOf } from './compare';

/** Settings of the model's breakers, by level. */
export type LevelSettings = Record<'venue' | 'order.place', BreakerModelSettings>;

/** The levels that see an act of this job type, in the words of the real ones. */
export function levelsFor(jobType: string, { venue, 'order.place': place }: LevelSettings): Levels {
  const [wide, narrow] = [venue, place].map(breakerSettingsOf);
  return levelsOf({ jobType }, { venue: wide!, jobType: narrow!, account: narrow! });
}

/** The share of the intents to which this one belongs, 0 to 99. */
export function bucketOf(ref: IntentRef): number {
  const hash = createHash('sha1').update(inflightMember(ref)).digest('hex');
  return parseInt(hash.slice(0, 4), 16) % 100;
}
