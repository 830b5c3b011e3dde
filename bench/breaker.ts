import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { FillsafeClient, type SubmittedJob } from '../src/client/client';
import { loadConfig } from '../src/config/load';
import type { StackInfo } from '../src/dev/stack-file';
import { placeCost, roundTrips } from './breaker-sides';
import type { Report } from './report';
import { benchOrder, withServices } from './services';
import { median, range, rounded } from './stats';
import { openServices } from '../src/worker/services';
import { startBenchWorker } from './worker-handle';

const ROUNDS = 9;
const WORKERS = 4;
/** Orders that are under way when the venue begins to fail, and those that come while the breaker is open. */
const UNDER_WAY = 60;
const HELD = 200;
const AT_A_TIME = 20;
const PLACEMENT = { method: 'POST', path: '/api/v3/order' };

/** What a closed breaker costs an act, and what an open one lets through. */
export async function benchBreaker(): Promise<Report> {
  return withServices(async (stack) => {
    const config = loadConfig({ file: stack.config });
    const services = await openServices(config, pino({ level: 'silent' }));
    let ns: number[];
    let trips: { without: number; with: number };
    try {
      await services.venue('paper').syncClock();
      await services.runtime.guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
      placeCost(services);
      ns = Array.from({ length: ROUNDS }, () => placeCost(services));
      trips = await roundTrips(services);
    } finally {
      await services.close();
    }
    const { boundMs, burnt } = await openOne(stack);
    return {
      result: {
        nsPerCall: rounded(median(ns)),
        extraRoundTrips: rounded(trips.with - trips.without),
        attemptsBurntWhileOpen: burnt,
        boundMs,
      },
      ranges: { nsPerCall: range(ns) },
      goals: {
        nsPerCall: { atMost: 200 },
        extraRoundTrips: { atMost: 0 },
        attemptsBurntWhileOpen: { atMost: 0 },
        boundMs: { atMost: config.venue_defaults.send_within_ms },
      },
      method: [
        'nsPerCall: what a closed breaker adds in this process to one act, from its levels to its report, without the guard’s two',
        `calls of Redis that it goes along with; ${ROUNDS} rounds, the median. extraRoundTrips: calls of Redis an act with and without`,
        `it, as INFO commandstats counts them. boundMs: on real Temporal with ${WORKERS} worker processes and ${UNDER_WAY} orders under way the venue`,
        'begins to fail; from the moment of the trip to the last order that reached the venue. attemptsBurntWhileOpen: orders of',
        `${HELD} more that reached the venue after that bound and before the breaker’s time was over.`,
      ],
      seen: { 'Redis calls an act': rounded(trips.with) },
    };
  });
}

async function openOne({ config: configFile, paper }: StackInfo): Promise<{ boundMs: number; burnt: number }> {
  const config = loadConfig({ file: configFile });
  const client = await FillsafeClient.connect(config);
  const services = await openServices(config, pino({ level: 'silent' }));
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => startBenchWorker('guarded', configFile)));
  const submit = async (name: string, many: number): Promise<SubmittedJob[]> => {
    const jobs: SubmittedJob[] = [];
    for (let i = 0; i < many; i += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, many - i) }, (_, k) => benchOrder(`${name}-${i + k}`));
      jobs.push(...(await Promise.all(some.map((order) => client.submit('order.place', order)))));
    }
    return jobs;
  };
  try {
    await Promise.all((await submit('warm', UNDER_WAY)).map((job) => job.outcome()));
    const headers = { 'content-type': 'application/json' };
    const fault = [{ kind: 'error_5xx_not_executed', match: PLACEMENT }];
    await fetch(`${paper}/admin/faults`, { method: 'POST', headers, body: JSON.stringify(fault) });
    await submit('failing', UNDER_WAY);
    const read = async () => (await services.runtime.guard.breakers.read('paper', ['order.place'])).at(-1)!.breaker;
    let breaker = await read();
    while (breaker.state !== 'OPEN') {
      await sleep(20);
      breaker = await read();
    }
    await submit('held', HELD);
    while ((await services.runtime.guard.now()) < breaker.openUntil) await sleep(100);
    const { requests } = (await (await fetch(`${paper}/truth`)).json()) as {
      requests: { method: string; path: string; at: number }[];
    };
    // The venue and Redis run on this machine: their clocks are one.
    const whileOpen = requests
      .filter(({ method, path }) => method === PLACEMENT.method && path === PLACEMENT.path)
      .map(({ at }) => at - breaker.since)
      .filter((ms) => ms > 0 && ms < breaker.openUntil - breaker.since);
    const { send_within_ms: bound } = config.venue_defaults;
    return { boundMs: Math.max(0, ...whileOpen), burnt: whileOpen.filter((ms) => ms > bound).length };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await services.close();
    await client.close();
  }
}
