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

const ROUNDS = 15;
const EFFECTS = 200;
const WARM_UP = 1_000;

interface Turn {
  p50Ms: number;
  cpuMs: number;
}
type Round = Record<'bare' | 'guarded' | 'intercepted', Turn>;

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

      for (const side of [bare(value), guarded, intercepted]) await measure(side, WARM_UP);
      const rounds: Round[] = [];
      const counted: Counts = { scripts: 0, inside: 0 };
      for (let round = 0; round < ROUNDS; round++) {
        let turn!: Turn;
        const { scripts, inside } = await countedIn(redis, async () => void (turn = await measure(guarded)));
        counted.scripts += scripts;
        counted.inside += inside;
        rounds.push({ bare: await measure(bare(value)), guarded: turn, intercepted: await measure(intercepted) });
      }
      return reportOf(rounds, counted, bytes);
    } finally {
      await services.close();
    }
  });
}

async function measure(effect: (intentId: string) => Promise<void>, effects = EFFECTS): Promise<Turn> {
  const intentIds = Array.from({ length: effects }, () => randomUUID());
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (const intentId of intentIds) {
    const began = performance.now();
    await effect(intentId);
    times.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { p50Ms: median(times), cpuMs: (user + system) / 1_000 / effects };
}

/** What the record of a finished effect costs Redis beyond the result that it keeps, and the record as it stands there. */
async function finishedKey(
  { redis, runtime }: Services,
  guarded: (intentId: string) => Promise<void>,
): Promise<{ bytes: number; value: string }> {
  const keys = guardKeys(runtime.config.retry.redis.namespace);
  const intentId = randomUUID();
  await guarded(intentId);
  const key = keys.record(placing(intentId));
  const value = await redis.get(key);
  const bytes = Number(await redis.memory('USAGE', key)) - Buffer.byteLength(RESULT);
  return { bytes, value: value ?? '' };
}

function reportOf(rounds: Round[], counted: Counts, bytes: number): Report {
  const effects = rounds.length * EFFECTS;
  const of = (pick: (round: Round) => number): number => rounded(median(rounds.map(pick)));
  const p50Ratios = rounds.map(({ bare, guarded }) => guarded.p50Ms / bare.p50Ms);
  const cpuMs = rounds.map(({ guarded }) => guarded.cpuMs);
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
      bytesPerKey: { atMost: 350 },
      p50Ratio: { atMost: 1.3 },
      cpuMsPerEffect: { atMost: 0.15 },
    },
    method: [
      'admit and settle around an act that does nothing ÷ two SETs of a value of the record’s size: one at a time, over the same',
      `connection to the same Redis with appendfsync always; ${ROUNDS} rounds of ${EFFECTS} each in turns, medians. Round trips and`,
      'commands as INFO commandstats counts them; bytes are MEMORY USAGE of a finished key less its result; cpuMsPerEffect is all',
      'CPU time of this process during admit and settle, the client library and its socket included.',
    ],
    seen: {
      'two SETs: p50 ms': of(({ bare }) => bare.p50Ms),
      'two SETs: CPU ms': of(({ bare }) => bare.cpuMs),
      'guard: p50 ms': of(({ guarded }) => guarded.p50Ms),
      'whole interceptor: p50 ms': of(({ intercepted }) => intercepted.p50Ms),
      'whole interceptor: CPU ms': of(({ intercepted }) => intercepted.cpuMs),
    },
  };
}
