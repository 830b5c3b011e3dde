import { performance } from 'node:perf_hooks';
import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { createActivities } from '../activities/create-activities';
import { loadConfig } from '../src/config/load';
import type { OrderResult, PlaceOrderInput } from '../src/domain/order';
import { guardKeys } from '../src/guard/keys';
import { AdmissionInterceptor } from '../src/interceptors/admission';
import type { RedisConnection } from '../src/redis/client';
import { openServices, type Services } from '../src/worker/services';
import type { Report } from './report';
import { benchOrder, withServices } from './services';
import { median, range, rounded } from './stats';

const ROUNDS = 7;
const EFFECTS = 300;
/** Commands that come from a client; whatever else INFO commandstats counts ran inside a script. */
const SCRIPT_CALLS = ['evalsha', 'eval', 'script'];
const OWN_CALLS = ['info', 'config', 'ping', 'memory', 'client', 'hello', 'select'];

interface Round {
  p50Ms: number;
  cpuMsPerEffect: number;
}

/** One attempt at a time: the order alone, and the same through the guard, in one process without Temporal. */
export async function benchGuard(): Promise<Report> {
  return withServices(async ({ config: configFile }) => {
    const config = loadConfig({ file: configFile });
    const services = await openServices(config, pino({ level: 'silent' }));
    try {
      const { redis, runtime } = services;
      const venue = services.venue('paper');
      await venue.syncClock();
      await runtime.guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
      const activities = createActivities(runtime, { searchAttributes: false });
      const environment = new MockActivityEnvironment(
        { attempt: 1, activityType: 'placeOrder' },
        { interceptors: [(context) => ({ inbound: new AdmissionInterceptor(context, runtime) })] },
      );
      const placeOrder = activities['placeOrder'] as (input: PlaceOrderInput) => Promise<OrderResult>;
      const guarded = (order: PlaceOrderInput): Promise<OrderResult> => environment.run(placeOrder, order);
      const bare = (order: PlaceOrderInput) => venue.placeOrder(order, order.intentId, () => undefined);

      await measure('warm-guarded', guarded);
      await measure('warm-bare', bare);
      const rounds: { bare: Round; guarded: Round }[] = [];
      let before = await commands(redis);
      const counted = { scripts: 0, inside: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        const turn = { bare: await measure(`b${round}`, bare), guarded: await measure(`g${round}`, guarded) };
        rounds.push(turn);
        const after = await commands(redis);
        counted.scripts += after.scripts - before.scripts;
        counted.inside += after.inside - before.inside;
        before = after;
      }
      return reportOf(rounds, counted, await bytesPerKey(services, guarded));
    } finally {
      await services.close();
    }
  });
}

async function measure(name: string, effect: (order: PlaceOrderInput) => Promise<unknown>): Promise<Round> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let i = 0; i < EFFECTS; i++) {
    const began = performance.now();
    await effect(benchOrder(`${name}-${i}`));
    times.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { p50Ms: median(times), cpuMsPerEffect: (user + system) / 1_000 / EFFECTS };
}

/** Calls since Redis started: of scripts, and of commands inside them. */
async function commands(redis: RedisConnection): Promise<{ scripts: number; inside: number }> {
  const counts = [...(await redis.info('commandstats')).matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)];
  const sum = (wanted: (name: string) => boolean): number =>
    counts.filter(([, name = '']) => wanted(name)).reduce((total, [, , calls]) => total + Number(calls), 0);
  return {
    scripts: sum((name) => SCRIPT_CALLS.includes(name)),
    inside: sum((name) => !SCRIPT_CALLS.includes(name) && !OWN_CALLS.includes(name)),
  };
}

/** What the record of a finished effect costs Redis beyond the result that it keeps. */
async function bytesPerKey(
  { redis, runtime }: Services,
  effect: (order: PlaceOrderInput) => Promise<OrderResult>,
): Promise<number> {
  const keys = guardKeys(runtime.config.retry.redis.namespace);
  const sizes: number[] = [];
  for (let i = 0; i < 50; i++) {
    const order = benchOrder(`key-${i}`);
    const { order: result } = await effect(order);
    const key = keys.record({ venue: order.venue, jobType: 'order.place', intentId: order.intentId });
    sizes.push(Number(await redis.memory('USAGE', key)) - Buffer.byteLength(JSON.stringify(result)));
  }
  return median(sizes);
}

function reportOf(
  rounds: { bare: Round; guarded: Round }[],
  counted: { scripts: number; inside: number },
  bytes: number,
): Report {
  const effects = rounds.length * EFFECTS;
  const p50Ratios = rounds.map(({ bare, guarded }) => guarded.p50Ms / bare.p50Ms);
  const cpuMs = rounds.map(({ bare, guarded }) => guarded.cpuMsPerEffect - bare.cpuMsPerEffect);
  return {
    result: {
      roundTrips: rounded(counted.scripts / effects),
      commandsPerEffect: rounded(counted.inside / effects),
      bytesPerKey: bytes,
      p50Ratio: rounded(median(p50Ratios)),
      cpuMsPerEffect: rounded(median(cpuMs)),
    },
    ranges: { p50Ratio: range(p50Ratios), cpuMsPerEffect: range(cpuMs) },
    goals: {
      roundTrips: { atMost: 2 },
      commandsPerEffect: { atMost: 8 },
      bytesPerKey: { atMost: 600 },
      p50Ratio: { atMost: 4 },
      cpuMsPerEffect: { atMost: 1.5 },
    },
    method: [
      'an order through the admission interceptor ÷ the same order by the adapter alone, one at a time in one process, against',
      `Redis with appendfsync always and the paper venue in processes of their own; ${ROUNDS} rounds of ${EFFECTS} each, medians.`,
      'Commands and round trips as INFO commandstats counts them; cpuMsPerEffect is what the guard adds in this process.',
    ],
    seen: {
      'bare p50 ms': rounded(median(rounds.map(({ bare }) => bare.p50Ms))),
      'guarded p50 ms': rounded(median(rounds.map(({ guarded }) => guarded.p50Ms))),
    },
  };
}
