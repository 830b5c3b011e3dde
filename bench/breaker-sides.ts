import { randomUUID } from 'node:crypto';
import type { Effect, Job } from '../src/guard/effect';
import { reported } from '../src/interceptors/breaker-act';
import { enter } from '../src/interceptors/held';
import { breakerLevels } from '../src/policy/job-policy';
import type { Services } from '../src/worker/services';
import { guardSides } from './guard-sides';
import { countedIn } from './redis-counts';
import { benchOrder } from './services';

const CALLS = 500_000;
const EFFECTS = 200;

/** CPU time, ns, that one act spends in this process on a breaker that is closed: all but its part of the guard's two calls. */
export function placeCost({ runtime }: Services): number {
  const effect = runtime.effects.ofJobType('order.place') as Effect;
  const job: Job = effect.read(benchOrder('breaker'));
  const act = { ...job, effect, breaker: { held: effect.heldByBreaker } };
  const began = process.cpuUsage();
  for (let i = 0; i < CALLS; i++) {
    const levels = breakerLevels(runtime.config, { jobType: effect.jobType, account: job.account });
    const stay = enter(runtime, act);
    reported({ levels }, runtime.workerNumbers.at(job.ref.venue), 'ok', undefined);
    stay.report('ok', 'no');
    stay.leave();
  }
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1_000) / CALLS;
}

/** Calls of Redis an act, with the breaker and without it. */
export async function roundTrips(services: Services): Promise<{ without: number; with: number }> {
  const { guarded, unbroken } = guardSides(services);
  const count = async (effect: (intentId: string) => Promise<void>): Promise<number> => {
    const counts = await countedIn(services.redis, async () => {
      for (let i = 0; i < EFFECTS; i++) await effect(randomUUID());
    });
    return counts.scripts / EFFECTS;
  };
  return { without: await count(unbroken), with: await count(guarded) };
}
