import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { BOOKS } from '../domain/job-types';
import type { Finding } from './doctor';
import { duration, errorText } from './output';

/** Whether Redis still holds what it had acknowledged, as far as workers have noticed. */
export async function checkStores(config: FillsafeConfig): Promise<Finding[]> {
  const what = 'claims';
  try {
    const store = await openGuard(config);
    try {
      const check = async (venue: string): Promise<Finding[]> => {
        const state = await store.guard.store.read(venue);
        // Only effects that people define concern no venue: most have none.
        if (!state && venue === BOOKS) return [];
        if (!state) return [{ state: 'ok', what, found: `${venue}: none yet, no worker has started there` }];
        if (state.suspected === '')
          return [{ state: 'ok', what, found: `${venue}: complete, as far as workers have seen` }];
        const found = `${venue}: ${state.suspected}; every act is looked up before it leaves, for ${duration(state.leftMs)} more`;
        const todo = `find out what happened to Redis; \`fillsafe guard trust ${venue}\` ends it at once`;
        return [{ state: 'warn', what, found, todo }];
      };
      return (await Promise.all([...Object.keys(config.venues), BOOKS].map(check))).flat();
    } finally {
      store.close();
    }
  } catch (error) {
    return [{ state: 'fail', what, found: errorText(error), todo: 'no order is placed without Redis' }];
  }
}
