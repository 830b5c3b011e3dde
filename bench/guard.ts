import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import pino from 'pino';
import { loadConfig } from '../src/config/load';
import { guardKeys } from '../src/guard/keys';
import { openServices, type Services } from '../src/worker/services';
import { guardSides, placing, RESULT } from './guard-sides';
import { countedIn, type Counts } from './redis-counts';
import type { Report } from './report';
import { withServices } from './services';
import { median, range, rounded } from './stats';

const ROUNDS = 9;
const EFFECTS = 300;
const WARM_UP = 500;
const CALLERS = 20;

type Effect = (intentId: string) => Promise<void>;
type Round<Side extends string> = Record<Side, { p50Ms: number; cpuMs: number }>;
type MeasuredRound = Round<'bare' | 'guarded' | 'intercepted'> & { manyCpuMs: number };

/** One effect at a time: the guard alone beside two plain writes, in one process without Temporal. */
export async function benchGuard(): Promise<Report> {
  return withServices(async ({ config: configFile }) => {
    const services = await openServices(loadConfig({ file: configFile }), pino({ level: 'silent' }));
    const { redis, runtime } = services;
    try {
      await services.venue('paper').syncClock();
      await runtime.guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
      const { bare, guarded, intercepted } = guardSides(services);
      const { bytes, value } = await finishedKey(services, guarded);

      const sides = { bare: bare(value), guarded, intercepted };
      await measureInTurns(sides, WARM_UP);
      const counted = await countedIn(redis, async () => void (await measureInTurns({ guarded }, EFFECTS)));
      const rounds: MeasuredRound[] = [];
      for (let round = 0; round < ROUNDS; round++)
        rounds.push({ ...(await measureInTurns(sides, EFFECTS)), manyCpuMs: await cpuMsOfMany(guarded) });
      return reportOf(rounds, counted, bytes);
    } finally {
      await services.close();
    }
  });
}

/** One effect of each side after the other, so that whatever else the machine and its disk do meets all of them. */
async function measureInTurns<Side extends string>(sides: Record<Side, Effect>, effects: number): Promise<Round<Side>> {
  const taken = Object.entries<Effect>(sides).map(([name, effect]) => ({
    name,
    effect,
    times: [] as number[],
    cpuMs: 0,
  }));
  for (let i = 0; i < effects; i++) {
    for (const side of taken) {
      const intentId = randomUUID();
      const cpu = process.cpuUsage();
      const began = performance.now();
      await side.effect(intentId);
      side.times.push(performance.now() - began);
      side.cpuMs += cpuMsSince(cpu);
    }
  }
  const turns = taken.map(({ name, times, cpuMs }) => [name, { p50Ms: median(times), cpuMs: cpuMs / effects }]);
  return Object.fromEntries(turns) as Round<Side>;
}

/** CPU ms an effect while `CALLERS` are under way at a time. */
async function cpuMsOfMany(effect: Effect): Promise<number> {
  const cpu = process.cpuUsage();
  for (let i = 0; i < EFFECTS; i += CALLERS) {
    await Promise.all(Array.from({ length: CALLERS }, () => effect(randomUUID())));
  }
  return cpuMsSince(cpu) / EFFECTS;
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** What the record of a finished effect costs Redis beyond the result that it keeps, and the record as it stands there. */
async function finishedKey({ redis, runtime }: Services, guarded: Effect): Promise<{ bytes: number; value: string }> {
  const keys = guardKeys(runtime.config.retry.redis.namespace);
  const intentId = randomUUID();
  await guarded(intentId);
  const key = keys.record(placing(intentId));
  const value = await redis.get(key);
  const bytes = Number(await redis.memory('USAGE', key)) - Buffer.byteLength(RESULT);
  return { bytes, value: value ?? '' };
}

function reportOf(rounds: MeasuredRound[], counted: Counts, bytes: number): Report {
  const of = (pick: (round: MeasuredRound) => number): number => rounded(median(rounds.map(pick)));
  const p50Ratios = rounds.map(({ bare, guarded }) => guarded.p50Ms / bare.p50Ms);
  const cpuMs = rounds.map(({ guarded }) => guarded.cpuMs);
  return {
    result: {
      roundTrips: rounded(counted.scripts / EFFECTS),
      commandsPerEffect: rounded(counted.inside / EFFECTS),
      bytesPerKey: bytes,
      p50Ratio: rounded(median(p50Ratios)),
      cpuMsPerEffect: rounded(median(cpuMs)),
    },
    ranges: { p50Ratio: range(p50Ratios), cpuMsPerEffect: range(cpuMs) },
    goals: {
      roundTrips: { atMost: 2 },
      commandsPerEffect: { atMost: 8 },
      bytesPerKey: { atMost: 350 },
      p50Ratio: { atMost: 1.3 },
      cpuMsPerEffect: { atMost: 0.15 },
    },
    method: [
      'admit and settle around an act that does nothing ÷ two SETs of a value of the record’s size: over the same connection to',
      'the same Redis with appendfsync always, one effect at a time and the sides by turns after each, in one process without',
      `Temporal; ${ROUNDS} rounds of ${EFFECTS}, of times the medians. Round trips and commands as INFO commandstats counts them;`,
      'bytes are MEMORY USAGE of a finished key less its result; cpuMsPerEffect is all CPU time of this process from before',
      'admit to after settle, the client library and its socket included.',
    ],
    seen: {
      'two SETs: p50 ms': of(({ bare }) => bare.p50Ms),
      'two SETs: CPU ms': of(({ bare }) => bare.cpuMs),
      'guard: p50 ms': of(({ guarded }) => guarded.p50Ms),
      [`guard, ${CALLERS} at a time: CPU ms`]: of(({ manyCpuMs }) => manyCpuMs),
      'whole interceptor: p50 ms': of(({ intercepted }) => intercepted.p50Ms),
      'whole interceptor: CPU ms': of(({ intercepted }) => intercepted.cpuMs),
    },
  };
}
