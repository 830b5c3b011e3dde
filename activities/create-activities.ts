import type { Logger } from 'pino';
import type { FillsafeConfig } from '../src/config/schema';
import { checkVenue } from '../src/domain/lane';
import type { Effect } from '../src/guard/effect';
import { Effects } from '../src/guard/effects';
import { currentTicket } from '../src/guard/ticket';
import type { Runtime } from '../src/interceptors/runtime';
import { jobPolicy, quiesceMs, venueTimes } from '../src/policy/job-policy';
import type { VenuePort } from '../src/venues/port';
import { breakerOrders } from './breaker-orders';
import { cancelOrderEffect } from './cancel-order';
import type { EffectDefinition } from './define-effect';
import type { EffectDeps } from './effect-deps';
import { lookUpActivity } from './look-up';
import { ownEffect } from './own-effect';
import { placeOrderEffect } from './place-order';
import { planJob } from './plan-job';
import { resolveIntentActivity } from './resolve-intent';
import { sweepStep } from './sweep-step';

/** All effects of a worker: fillsafe's, and those that people defined. Throws a `TypeError` that names what is wrong with one. */
export function createEffects(
  config: FillsafeConfig,
  venue: (name: string) => VenuePort,
  log: Logger,
  own: readonly EffectDefinition[],
): Effects {
  /** Measurements under way: one does for all acts that wait for it. */
  const measuring = new Map<string, Promise<void>>();
  const measure = (name: string): Promise<void> => {
    const running =
      measuring.get(name) ??
      venue(name)
        .syncClock()
        .finally(() => measuring.delete(name));
    measuring.set(name, running);
    return running;
  };
  const deps: EffectDeps = {
    log,
    namespace: config.retry.redis.namespace,
    venues: Object.keys(config.venues),
    checkVenue: (name, field) => checkVenue(config, name, field),
    venue,
    readyClock: async (name, again) => {
      const bound = venueTimes(config, name).clockErrorMs;
      if (!again && venue(name).clock().errorMs <= bound) return;
      await measure(name);
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
    policy: (jobType) => jobPolicy(config, jobType),
    onAbsent: config.retry.policy['order.place'].on_absent,
  };
  return new Effects([
    placeOrderEffect(deps),
    cancelOrderEffect(deps),
    ...own.map((definition) => ownEffect(definition, deps)),
  ]);
}

/** The activities of a worker: the effects under their names, and what a workflow needs beside them. */
export function createActivities(
  runtime: Runtime,
  options: { searchAttributes: boolean },
): Record<string, (...args: never[]) => Promise<unknown>> {
  const act = (effect: Effect) => (input: unknown) => effect.run(input, currentTicket());
  return {
    ...Object.fromEntries(runtime.effects.all.map((effect) => [effect.activity, act(effect)])),
    lookUp: lookUpActivity(runtime),
    resolveIntent: resolveIntentActivity(runtime),
    planJob: planJob(runtime, options),
    sweepStep: sweepStep(runtime),
    ...breakerOrders(runtime),
  };
}
