import type { FillsafeConfig } from '../src/config/schema';
import { JOBS, type JobType } from '../src/domain/job-types';
import type { JobInput } from '../src/domain/order.schema';
import type { Effect } from '../src/guard/effect';
import { currentTicket } from '../src/guard/ticket';
import type { Runtime } from '../src/interceptors/runtime';
import { quiesceMs, venueTimes } from '../src/policy/job-policy';
import type { VenuePort } from '../src/venues/port';
import { cancelOrderEffect } from './cancel-order';
import type { EffectDeps } from './effect-deps';
import { lookUpActivity } from './look-up';
import { placeOrderEffect } from './place-order';
import { planJob } from './plan-job';
import { resolveIntentActivity } from './resolve-intent';

/** All effects, by job type. */
export function createEffects(config: FillsafeConfig, venue: (name: string) => VenuePort): Runtime['effects'] {
  const deps: EffectDeps = {
    namespace: config.retry.redis.namespace,
    venue,
    readyClock: async (name, again) => {
      const bound = venueTimes(config, name).clockErrorMs;
      if (!again && venue(name).clock().errorMs <= bound) return;
      await venue(name).syncClock();
      const { errorMs } = venue(name).clock();
      if (errorMs > bound) {
        throw new Error(`its clock is known to ${Math.ceil(errorMs)} ms only, clock_error_ms allows ${bound}`);
      }
    },
    times: (name) => venueTimes(config, name),
    absence: (name) => {
      const { agreeing_looks: looks, gap_ms: gapMs } = config.retry.look_up;
      return { quiesceMs: quiesceMs(venueTimes(config, name)), looks, gapMs };
    },
  };
  // Each effect only ever gets the input of its own job type: the admission interceptor has parsed it as such.
  return {
    'order.place': placeOrderEffect(deps) as unknown as Effect<JobInput>,
    'order.cancel': cancelOrderEffect(deps) as unknown as Effect<JobInput>,
  };
}

/** The activities of a worker: the effects under their names, and what a workflow needs beside them. */
export function createActivities(
  runtime: Runtime,
  venue: (name: string) => VenuePort,
  options: { searchAttributes: boolean },
) {
  const act = (jobType: JobType) => (input: JobInput) => runtime.effects[jobType].run(input, currentTicket());
  return {
    [JOBS['order.place'].activity]: act('order.place'),
    [JOBS['order.cancel'].activity]: act('order.cancel'),
    lookUp: lookUpActivity(runtime),
    resolveIntent: resolveIntentActivity(runtime, venue),
    planJob: planJob({ config: runtime.config, searchAttributes: options.searchAttributes }),
  };
}
