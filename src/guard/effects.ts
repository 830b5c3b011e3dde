import type { HeldPlace } from '../breaker/control/places';
import type { Place } from '../domain/job-types';
import type { Effect } from './effect';

/** Every effect that a worker knows: fillsafe's own, and those that people defined. */
export class Effects {
  private readonly byActivity = new Map<string, Effect>();
  private readonly byJobType = new Map<string, Effect>();

  /** Throws when two effects have the same job type. */
  constructor(readonly all: readonly Effect[]) {
    for (const effect of all) {
      if (this.byJobType.has(effect.jobType))
        throw new TypeError(`${effect.jobType}: there are two effects of this job type`);
      this.byActivity.set(effect.activity, effect);
      this.byJobType.set(effect.jobType, effect);
    }
  }

  /** The effect that an activity of this name does, if any. */
  ofActivity(activityType: string): Effect | undefined {
    return this.byActivity.get(activityType);
  }

  ofJobType(jobType: string): Effect | undefined {
    return this.byJobType.get(jobType);
  }

  /** Wherever any of them may act. */
  places(): Place[] {
    return this.all.flatMap(({ jobType, venues }) => venues.map((venue) => ({ jobType, venue })));
  }

  /** Wherever one may act that adds risk: what breakers, kills and gates may hold. */
  heldPlaces(): HeldPlace[] {
    const held = this.all.filter(({ heldByBreaker }) => heldByBreaker);
    return held.flatMap((effect) =>
      effect.venues.map((venue) => ({ jobType: effect.jobType, venue, sendWithinMs: effect.sendWithinMs(venue) })),
    );
  }
}
