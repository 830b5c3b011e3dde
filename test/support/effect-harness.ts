import { performance } from 'node:perf_hooks';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure, type Duration } from '@temporalio/common';
import { DefaultLogger } from '@temporalio/worker';
import type { Redis } from 'ioredis';
import pino from 'pino';
import { createEffects, type EffectDefinition } from '../../activities';
import { loadConfig } from '../../src/config/load';
import { LocalBreakers } from '../../src/breaker/local';
import { BreakerWatch } from '../../src/breaker/watch';
import { WorkerNumbers } from '../../src/breaker/worker-numbers';
import { BOOKS, isJobType, type JobType } from '../../src/domain/job-types';
import { classifyFailure } from '../../src/failures/classify';
import type { FailureInput } from '../../src/failures/categories';
import type { Effect } from '../../src/guard/effect';
import { Effects } from '../../src/guard/effects';
import { Guard } from '../../src/guard/guard';
import { Outbox } from '../../src/guard/outbox';
import { currentTicket, type Ticket } from '../../src/guard/ticket';
import { AdmissionInterceptor } from '../../src/interceptors/admission';
import type { BreakerTurn } from '../../src/interceptors/breaker-act';
import { ClassificationInterceptor } from '../../src/interceptors/classification';
import { Crowd } from '../../src/interceptors/crowd';
import { MetricsInterceptor } from '../../src/interceptors/metrics';
import type { Runtime } from '../../src/interceptors/runtime';
import { createMetrics } from '../../src/metrics/catalog';
import { Recorder } from '../../src/metrics/recorder';
import { breakerSettings, settingsOf } from '../../src/policy/job-policy';
import type { ReplicatedAdmissions } from '../../src/redis/replicated';
import { VenueError } from '../../src/venues/port';

export const ORDER = {
  intentId: 'f1',
  venue: 'paper',
  symbol: 'XRPETH',
  side: 'BUY',
  type: 'LIMIT',
  quantity: '23',
  price: '0.00141',
};
export const CANCEL = { intentId: 'c1', venue: 'paper', symbol: 'XRPETH', orderIntentId: 'f1' };
export const ANSWER = { orderId: '7', clientOrderId: 'fs1', status: 'NEW', executedQuantity: '0', fills: [] };

/** What a venue says, as its adapter throws it. */
export function venueSays(failure: Partial<FailureInput>): VenueError {
  const full = {
    exchange: 'binance',
    market: 'spot',
    operation: 'place',
    phase: 'response',
    ...failure,
  } as FailureInput;
  return new VenueError(full, classifyFailure(full));
}

export interface AttemptOptions {
  /** Default: `order.place`. One of `ownEffects` runs as it is defined; its `input` must be given. */
  jobType?: string;
  input?: unknown;
  attempt?: number;
  activityId?: string;
  runId?: string;
  heartbeatDetails?: unknown;
  /** How the effect goes. Default: passes the ticket and answers. */
  act?: (ticket: Ticket) => Promise<unknown>;
  /** Ms that the job has left. */
  leftMs?: number;
}

export interface AttemptEnd {
  result?: Record<string, unknown>;
  error?: unknown;
  failure?: { type: string; nonRetryable: boolean; nextRetryDelay: Duration | undefined; message: string };
  heartbeats: unknown[];
}

/** A worker's interceptors around a scripted effect, on a real Redis. */
export function effectHarness(
  redis: Redis,
  {
    namespace,
    ownEffects = [],
    watch = { unsafe: undefined, ended: () => undefined },
    replicated,
    worker = 0,
    localNow,
    mode = 'enforce',
  }: {
    namespace: string;
    ownEffects?: readonly EffectDefinition[];
    watch?: Runtime['watch'];
    replicated?: ReplicatedAdmissions;
    /** The number that it draws before Redis tells it one. */
    worker?: number;
    /** The clock of the breakers of this process alone. */
    localNow?: () => number;
    mode?: 'observe' | 'enforce';
  },
) {
  const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
  const config = loadConfig({
    env: {},
    flags: { mode, venues: { paper: venue }, retry: { redis: { namespace }, circuit_breaker: { minimum_calls: 2 } } },
  });
  const log = pino({ enabled: false });
  const noVenue = (): never => {
    throw new Error('this test has no venue');
  };
  const metrics = createMetrics(['paper']);
  const guard = new Guard(redis, { namespace, ttlMs: 100_000, replicated });
  const outbox = new Outbox(log);
  const seen = { sends: 0, clockReadings: [] as boolean[] };
  let act: NonNullable<AttemptOptions['act']> = () => Promise.resolve(ANSWER);
  const real = createEffects(config, noVenue, log, ownEffects);
  const scripted = (jobType: JobType): Effect => ({
    ...(real.ofJobType(jobType) as Effect),
    run: async (_input, ticket) => {
      const counted = Object.create(ticket, {
        pass: {
          value: () => {
            ticket.pass();
            seen.sends += 1;
          },
        },
      }) as Ticket;
      return (await act(counted)) as object;
    },
    canLookUp: true,
    lookUp: () => Promise.resolve({ kind: 'absent', evidence: 'scripted' }),
    absence: () => ({ quiesceMs: 18_000, looks: 2, gapMs: 2_000 }),
    sendWithinMs: () => 2_000,
    lifeMs: (input) => {
      const { expiresAt } = input as { expiresAt?: number };
      return expiresAt === undefined ? undefined : expiresAt - Date.now();
    },
    venueNow: () => Date.now(),
    readyClock: (_input, { again }) => Promise.resolve(void seen.clockReadings.push(again)),
  });
  const effects = { 'order.place': scripted('order.place'), 'order.cancel': scripted('order.cancel') };
  const own = real.all.filter(({ jobType }) => !isJobType(jobType));
  const turns: BreakerTurn[] = [];
  const lost: string[] = [];
  const workerNumbers = new WorkerNumbers(worker);
  const breakerWatch = new BreakerWatch({
    places: [...Object.values(effects), ...own].flatMap(({ jobType, venues }) =>
      venues.map((name) => ({ jobType, venue: name })),
    ),
    settings: (level) => breakerSettings(config, settingsOf(level)),
    read: (name, levels) => workerNumbers.lease(name, (asking) => guard.breakers.readAs(asking, name, levels)),
    onOrdersLost: (scope) => void lost.push(scope),
    onBack: () => undefined,
    log,
  });
  const runtime: Runtime = {
    ...{ config, guard, watch, outbox, crowd: new Crowd(), log, breakerWatch, workerNumbers },
    locals: new LocalBreakers((jobType) => breakerSettings(config, settingsOf(jobType)), localNow),
    recorder: new Recorder(metrics, () => undefined),
    effects: new Effects([...Object.values(effects), ...own]),
    onTurn: (turn) => void turns.push(turn),
  };

  // As a worker does at its start; a Redis that is away by then shows in the attempt.
  let opened: Promise<unknown> | undefined;
  const open = (): Promise<unknown> =>
    (opened ??= Promise.all(
      ['paper', BOOKS].map((name) => guard.store.open(name, { quiesceMs: 18_000, neverUsed: true })),
    ).catch(() => undefined));
  async function attempt(options: AttemptOptions = {}): Promise<AttemptEnd> {
    await open();
    const { jobType = 'order.place', attempt: number = 1, leftMs = 3_600_000 } = options;
    const { input = jobType === 'order.place' ? ORDER : CANCEL, activityId = '1', runId = 'run-1' } = options;
    const effect = runtime.effects.ofJobType(jobType) as Effect;
    const mine: typeof act =
      options.act ??
      ((ticket) => {
        ticket.pass();
        return Promise.resolve(ANSWER);
      });
    const environment = new MockActivityEnvironment(
      {
        activityType: effect.activity,
        activityId,
        attempt: number,
        heartbeatDetails: options.heartbeatDetails,
        workflowExecution: { workflowId: 'order:f1', runId },
        scheduleToCloseTimeoutMs: leftMs,
        scheduledTimestampMs: 1_000,
        currentAttemptScheduledTimestampMs: 1_000,
      },
      {
        logger: new DefaultLogger('ERROR', () => undefined),
        interceptors: [
          (context) => ({ inbound: new MetricsInterceptor(context, runtime) }),
          (context) => ({ inbound: new ClassificationInterceptor(context, runtime) }),
          (context) => ({ inbound: new AdmissionInterceptor(context, runtime) }),
        ],
      },
    );
    const heartbeats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => heartbeats.push(details));
    const body = (checked: unknown): Promise<object> => {
      // Attempts may overlap: the effect takes up the script of the one that starts it, before anything else can run.
      act = mine;
      return effect.run(checked, currentTicket());
    };
    try {
      const result = (await environment.run(body as never, input as never)) as Record<string, unknown>;
      return { result, heartbeats };
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) return { error, heartbeats };
      const { type, nonRetryable, nextRetryDelay, message } = error;
      const failure = {
        type: type ?? '',
        nonRetryable: nonRetryable ?? false,
        nextRetryDelay: nextRetryDelay ?? undefined,
      };
      return { error, failure: { ...failure, message }, heartbeats };
    }
  }
  const ref = (intentId = 'f1', jobType: JobType = 'order.place') => ({ venue: 'paper', jobType, intentId });
  return {
    open,
    attempt,
    guard,
    runtime,
    metrics,
    seen,
    turns,
    lost,
    effects,
    ref,
    record: (id?: string) => guard.record(ref(id)),
  };
}

/** Keeps the event loop busy: the process is paused for everyone but the clock. */
export function pauseProcess(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
