import { createHash } from 'node:crypto';
import { levelsOf, type Levels } from '../../src/breaker/levels';
import { LOOK_UP_LEVEL } from '../../src/breaker/scope';
import { inflightMember, type IntentRef } from '../../src/guard/keys';
import type { BreakerModelSettings } from './breaker-model';
import { breakerSettingsOf } from './compare';

/** Settings of the model's breakers, by level. */
export type LevelSettings = Record<'venue' | 'order.place' | 'look-up', BreakerModelSettings>;

/** The levels that see an act of this job type, or a look, in the words of the real ones. */
export function levelsFor(jobType: string, settings: LevelSettings): Levels {
  const own = settings[jobType === LOOK_UP_LEVEL ? jobType : 'order.place'];
  const [wide, narrow] = [settings.venue, own].map(breakerSettingsOf);
  return levelsOf({ jobType }, { venue: wide!, jobType: narrow!, account: narrow! });
}

/** The share of the intents to which this one belongs, 0 to 99. */
export function bucketOf(ref: IntentRef): number {
  const hash = createHash('sha1').update(inflightMember(ref)).digest('hex');
  return parseInt(hash.slice(0, 4), 16) % 100;
}
