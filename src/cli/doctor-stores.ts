import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import type { Finding } from './doctor';
import { duration, errorText } from './output';

/** Whether Redis still holds what it had acknowledged, as far as workers have noticed. */
export async function checkStores(config: FillsafeConfig): Promise<Finding[]> {
  const what = 'claims';
  try {
    const store = await openGuard(config);
    try {
      const check = async (venue: string): Promise<Finding> => {
        const state = await store.guard.store.read(venue);
        if (!state) return { state: 'ok', what, found: `${venue}: none yet, no worker has started there` };
        if (state.suspected === '')
          return { state: 'ok', what, found: `${venue}: complete, as far as workers have seen` };
        return {
          state: 'warn',
          what,
          found: `${venue}: ${state.suspected}; every act is looked up before it leaves, for ${duration(state.leftMs)} more`,
          todo: `find out what happened to Redis; \`fillsafe guard trust ${venue}\` ends it at once`,
        };
      };
      return await Promise.all(Object.keys(config.venues).map(check));
    } finally {
      store.close();
    }
  } catch (error) {
    return [{ state: 'fail', what, found: errorText(error), todo: 'no order is placed without Redis' }];
  }
}
