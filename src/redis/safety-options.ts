import type { FillsafeConfig } from '../config/schema';
import { venueTimes } from '../policy/job-policy';
import type { VenuePort } from '../venues/port';
import type { VenueClockReading } from './findings';
import type { CheckOptions } from './safety';

/** What the configuration expects of Redis. */
export function safetyOptions(
  config: FillsafeConfig,
): Pick<CheckOptions, 'acknowledged' | 'memoryBudgetBytes' | 'waitFor'> {
  return {
    acknowledged: config.redis.acknowledged,
    memoryBudgetBytes: config.redis.memory_budget_mb * 2 ** 20,
    waitFor: config.redis.replicas.wait_for,
  };
}

/** The venues' clocks as they were last measured, for a comparison with Redis's. */
export function venueClocks(config: FillsafeConfig, venues: Iterable<VenuePort>): VenueClockReading[] {
  return [...venues].map((venue) => {
    const { nowMs, errorMs } = venue.clock();
    const boundMs = venueTimes(config, venue.name).clockErrorMs;
    return { venue: venue.name, aheadMs: nowMs - Date.now(), errorMs, boundMs };
  });
}
