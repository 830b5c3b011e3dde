import { FillsafeClient } from '../client/client';
import { jobsQuery } from '../client/job-list';
import { openGuard, type OpenGuard } from '../client/open-guard';
import { queuePollers, type QueuePollers } from '../client/queue-pollers';
import { ALL } from '../breaker/scope';
import { callsAt, type BreakerState } from '../breaker/snapshot';
import type { FillsafeConfig } from '../config/schema';
import { BOOKS, JOB_TYPES } from '../domain/job-types';
import { createMetrics } from '../metrics/catalog';
import { breakerSettings } from '../policy/job-policy';
import { checkRedis } from '../redis/safety';
import { safetyOptions } from '../redis/safety-options';
import { errorText } from './output';

/** What `status --json` prints. Null where it could not be found out. */
export interface Status {
  /** `ok`, or why not, for each service. */
  services: { temporal: string; redis: string; metrics: string };
  workers: QueuePollers[];
  numbers: {
    running: number | null;
    doneLastHour: number | null;
    refusedLastHour: number | null;
    /** Intents whose outcome nobody knows yet, those that wait for a person included. */
    unresolved: number | null;
    parked: number | null;
    /** Of the worker whose metrics were read, since it started. */
    replays: number | null;
    duplicates: number | null;
  };
  /** Venues of which Redis may have lost claims: every act there is looked up before it leaves. */
  suspected: { venue: string; why: string; leftMs: number }[];
  /** Times are epoch ms by Redis. */
  breakers: {
    venue: string;
    jobType: string;
    state: BreakerState | null;
    since: number | null;
    openUntil: number | null;
    failures: number;
    calls: number;
  }[];
}

/** Asks everything at once; what is away leaves gaps. */
export async function readStatus(config: FillsafeConfig, metricsAddress: string | undefined): Promise<Status> {
  const venues = Object.keys(config.venues);
  const [temporal, redis, metrics] = await Promise.all([
    reached(
      () => FillsafeClient.connect(config),
      (client) => fromTemporal(client, venues),
      (client) => client.close(),
    ),
    reached(
      () => openGuard(config),
      (store) => fromGuard(store, config, venues),
      (store) => store.close(),
    ),
    reached(
      () => scrape(metricsAddress),
      (text) => Promise.resolve(countersOf(text)),
      () => undefined,
    ),
  ]);
  const { workers, ...jobs } = temporal.value ?? {
    workers: [],
    running: null,
    doneLastHour: null,
    refusedLastHour: null,
  };
  const guard = redis.value ?? { unresolved: null, parked: null, suspected: [], breakers: [], unsafe: undefined };
  return {
    services: {
      temporal: temporal.state,
      redis: guard.unsafe === undefined ? redis.state : `not safe, no order is placed: ${guard.unsafe}`,
      metrics: metrics.state,
    },
    workers,
    numbers: {
      ...jobs,
      unresolved: guard.unresolved,
      parked: guard.parked,
      ...(metrics.value ?? { replays: null, duplicates: null }),
    },
    suspected: guard.suspected,
    breakers: guard.breakers,
  };
}

async function reached<Service, Value>(
  open: () => Promise<Service>,
  read: (service: Service) => Promise<Value>,
  close: (service: Service) => unknown,
): Promise<{ state: string; value?: Value }> {
  try {
    const service = await open();
    try {
      return { state: 'ok', value: await read(service) };
    } finally {
      await close(service);
    }
  } catch (error) {
    return { state: errorText(error) };
  }
}

async function fromTemporal(client: FillsafeClient, venues: string[]) {
  const { workflow } = client.temporal;
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const countOf = async (also: string): Promise<number> => (await workflow.count(jobsQuery({ also }))).count;
  const [workers, running, doneLastHour, refusedLastHour] = await Promise.all([
    queuePollers(client.temporal, venues),
    countOf("ExecutionStatus = 'Running'"),
    countOf(`ExecutionStatus = 'Completed' AND CloseTime > '${hourAgo}'`),
    countOf(`ExecutionStatus = 'Failed' AND CloseTime > '${hourAgo}'`),
  ]);
  return { workers, running, doneLastHour, refusedLastHour };
}

async function fromGuard({ guard, redis }: OpenGuard, config: FillsafeConfig, venues: string[]) {
  const { problems } = await checkRedis(redis, { ...safetyOptions(config), clocks: [] });
  let unresolved = 0;
  let parked = 0;
  const suspected: Status['suspected'] = [];
  const breakers: Status['breakers'] = [];
  for (const venue of [...venues, BOOKS]) {
    const store = await guard.store.read(venue);
    if (store?.suspected) suspected.push({ venue, why: store.suspected, leftMs: store.leftMs });
    // A claim is an attempt that acts at this moment: no doubt yet.
    const records = (await guard.unresolved(venue)).filter(({ record }) => record.state !== 'CLAIMED');
    unresolved += records.length;
    parked += records.filter(({ record }) => record.state === 'MANUAL').length;
    if (venue === BOOKS) continue;
    const { nowMs, levels } = await guard.breakers.readAt(venue, JOB_TYPES);
    for (const { level: jobType, breaker } of levels) {
      if (jobType === ALL) continue;
      const { state, since, openUntil } = breaker;
      const { failures, calls } = callsAt(nowMs, breaker, breakerSettings(config, { jobType }));
      const times = { since: since || null, openUntil: openUntil || null };
      breakers.push({ venue, jobType, state, ...times, failures, calls });
    }
  }
  return { unresolved, parked, suspected, breakers, unsafe: problems[0] };
}

async function scrape(address: string | undefined): Promise<string> {
  if (address === undefined) throw new Error('metrics.port is 0: the worker took a free port, which its log names');
  const response = await fetch(address, { signal: AbortSignal.timeout(3_000) }).catch((error: unknown) => {
    throw new Error(`no answer at ${address}: ${errorText((error as Error).cause ?? error)}`);
  });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.text();
}

function countersOf(text: string): { replays: number; duplicates: number } {
  const { sideEffects, duplicates } = createMetrics([]);
  const sum = (metric: object, label = ''): number => {
    const { name } = metric as { name: string };
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
    return lines.reduce((so, line) => so + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  return { replays: sum(sideEffects, 'result="replayed"'), duplicates: sum(duplicates) };
}
