import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { checkRedis } from '../redis/safety';
import { safetyOptions, venueClocks } from '../redis/safety-options';
import { createVenues } from '../venues/create-venues';
import type { VenuePort } from '../venues/port';
import type { Finding } from './doctor';
import { errorText } from './output';

/** Whether Redis is there and keeps what the guard writes. */
export async function checkRedisService(config: FillsafeConfig): Promise<Finding[]> {
  try {
    const store = await openGuard(config);
    try {
      const clocks = venueClocks(config, await measuredVenues(config));
      const { findings } = await checkRedis(store.redis, { ...safetyOptions(config), clocks });
      const told = findings.map(({ check, state, found, todo }): Finding => {
        const what = `Redis ${check}`;
        return { state: state === 'unsafe' ? 'fail' : state, what, found, ...(todo !== '' && { todo }) };
      });
      return [{ state: 'ok', what: 'Redis', found: 'answers' }, ...told];
    } finally {
      store.close();
    }
  } catch (error) {
    return [{ state: 'fail', what: 'Redis', found: errorText(error), todo: 'no order is placed without it' }];
  }
}

/** Those whose clock can be compared; what is wrong with the others is told by their own checks. */
async function measuredVenues(config: FillsafeConfig): Promise<VenuePort[]> {
  try {
    const venues = [...createVenues(config).values()];
    const measured = await Promise.all(
      venues.map((venue) =>
        venue.syncClock().then(
          () => [venue],
          () => [],
        ),
      ),
    );
    return measured.flat();
  } catch {
    return [];
  }
}
