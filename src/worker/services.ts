import type { Logger } from 'pino';
import { createEffects, type EffectDefinition } from '../../activities';
import { LocalBreakers } from '../breaker/local';
import { ALL, LOOK_UP_LEVEL, VENUE_LEVEL } from '../breaker/scope';
import { standing, type Standing } from '../breaker/snapshot';
import { BreakerWatch } from '../breaker/watch';
import { WorkerNumbers } from '../breaker/worker-numbers';
import type { FillsafeConfig } from '../config/schema';
import { isJobType } from '../domain/job-types';
import { Guard } from '../guard/guard';
import { guardKeys } from '../guard/keys';
import { Outbox } from '../guard/outbox';
import type { StoreState } from '../guard/store';
import { Crowd } from '../interceptors/crowd';
import type { Runtime } from '../interceptors/runtime';
import { createMetrics, type HeldBy, type Metrics } from '../metrics/catalog';
import { Recorder } from '../metrics/recorder';
import { connectRedis, onConnection, pingAll, type RedisConnection } from '../redis/client';
import { ReplicatedAdmissions } from '../redis/replicated';
import { UnsafeRedisError } from '../redis/safety';
import { safetyOptions, venueClocks } from '../redis/safety-options';
import { RedisWatch } from '../redis/watch';
import { breakerSettings, configuredJobTypes, settingsOf } from '../policy/job-policy';
import { createVenues } from '../venues/create-venues';
import type { VenuePort } from '../venues/port';
import type { Controls } from './controls';
import { isShut } from './gate';

/** In the words of the metric, what holds a level that is not left to itself. */
const BY_STANDING: Partial<Record<Standing, HeldBy>> = {
  KILLED: 'kill',
  HELD: 'venue',
  FORCED_OPEN: 'open',
  FORCED_CLOSED: 'closed',
};

/** What one worker process holds open. */
export interface Services {
  runtime: Runtime;
  redis: RedisConnection;
  watch: RedisWatch;
  metrics: Metrics;
  venues: Map<string, VenuePort>;
  venue(name: string): VenuePort;
  refreshMetrics(): Promise<void>;
  /** From then on breakers' turns are told in Temporal, and what people ordered comes from there when Redis lost it. */
  useControls(controls: Pick<Controls, 'turned' | 'lost'>): void;
  close(): Promise<void>;
}

/**
 * Connects to Redis and makes the guard, the venues and the metrics. Throws an `UnsafeRedisError` when Redis would lose
 * claims, and an error that names the setting when an address is missing or nobody answers there.
 */
export async function openServices(
  config: FillsafeConfig,
  log: Logger,
  ownEffects: readonly EffectDefinition[] = [],
): Promise<Services> {
  const { command_timeout_ms, replicas } = config.redis;
  const opened: RedisConnection[] = [];
  const connect = async (commandTimeoutMs: number): Promise<RedisConnection> => {
    const redis = await connectRedis({ ...config.redis, command_timeout_ms: commandTimeoutMs });
    opened.push(redis);
    return redis;
  };
  try {
    const redis = await connect(command_timeout_ms);
    // Its commands wait for replicas twice before they answer.
    const waiting = replicas.wait_for > 0 ? await connect(command_timeout_ms + 2 * replicas.timeout_ms) : undefined;
    const services = assemble(config, log, { redis, waiting, ownEffects });
    const { problems } = await services.watch.check();
    if (problems.length > 0) throw new UnsafeRedisError(problems);
    services.watch.start();
    await services.runtime.breakerWatch.start();
    return services;
  } catch (error) {
    for (const redis of opened) redis.disconnect();
    throw error;
  }
}

/** `waiting` is a connection for nothing but admissions that wait for replicas; absent where none do. */
function assemble(
  config: FillsafeConfig,
  log: Logger,
  {
    redis,
    waiting,
    ownEffects,
  }: { redis: RedisConnection; waiting: RedisConnection | undefined; ownEffects: readonly EffectDefinition[] },
): Services {
  const { namespace, ttl_seconds } = config.retry.redis;
  let controls: Pick<Controls, 'turned' | 'lost'> | undefined;
  const onStore = (name: string, { suspected, leftMs }: StoreState): void => {
    metrics.storeSuspected.set({ venue: name }, suspected === '' ? 0 : 1);
    if (suspected === '') {
      log.warn({ venue: name }, 'the suspicion against Redis is over: acts leave without a look again');
      return;
    }
    log.error({ venue: name, suspected, leftMs }, 'claims may be lost: every act is looked up before it leaves');
    controls?.lost();
  };
  const { wait_for: waitFor, timeout_ms: timeoutMs } = config.redis.replicas;
  const replicated =
    waiting && new ReplicatedAdmissions(waiting, { waitFor, timeoutMs, toDisk: () => watch.isDurable });
  const guard = new Guard(redis, { namespace, ttlMs: ttl_seconds * 1_000, replicated, onStore });
  onConnection(redis, () => guard.store.compare());
  const venues = createVenues(config);
  const venue = (name: string): VenuePort => {
    const known = venues.get(name);
    if (!known) throw new Error(`venue "${name}" is not configured`);
    return known;
  };
  const effects = createEffects(config, venue, log, ownEffects);
  const strangers = configuredJobTypes(config).filter((jobType) => !effects.ofJobType(jobType));
  if (strangers.length > 0)
    log.warn(
      { jobTypes: strangers },
      'there are settings for job types that this worker does not do: are they spelled right?',
    );
  const places = effects.places();
  const names = [...new Set(places.map((place) => place.venue))];
  const metrics = createMetrics(
    [...venues.keys()],
    places.filter(({ jobType }) => !isJobType(jobType)),
  );
  const recorder = new Recorder(config.retry.metrics.enabled ? metrics : undefined, (error) =>
    log.warn({ err: error }, 'a metric could not be recorded'),
  );
  const outbox = new Outbox(log);
  const watch: RedisWatch = new RedisWatch(redis, {
    ...safetyOptions(config),
    clocks: () => venueClocks(config, venues.values()),
    goes: () => guard.store.goes(names),
    ttlSeconds: ttl_seconds,
    keyOf: (ref) => guardKeys(namespace).record(ref),
    log,
    onCheck: (safety) => recorder.redisChecked(safety),
  });
  const refreshVenue = async (name: string): Promise<void> => {
    const open = await guard.unresolvedCount(name).catch(() => undefined);
    if (open !== undefined) metrics.unresolved.set({ venue: name }, open);
  };
  const refreshBreakers = async (name: string): Promise<void> => {
    const jobTypes = places.filter(({ venue: each }) => each === name).map(({ jobType }) => jobType);
    const own = [VENUE_LEVEL, LOOK_UP_LEVEL, ...jobTypes];
    const { nowMs, levels } = await guard.breakers.readAt(name, own).catch(() => ({ nowMs: 0, levels: [] }));
    const isAllKilled = levels.some(({ level, override }) => level === ALL && override.kill);
    for (const { level, breaker, override } of levels) {
      if (level === ALL) continue;
      recorder.breaker(name, level, breaker.state);
      const isKilled = isAllKilled && level === VENUE_LEVEL;
      recorder.breakerHeld(name, level, isKilled ? 'kill' : BY_STANDING[standing(breaker, override, nowMs).standing]);
    }
  };
  const refreshGates = (): void => {
    for (const place of effects.heldPlaces()) recorder.gate(place, isShut(runtime, place));
  };
  const refreshRedis = async (): Promise<void> => {
    metrics.redisUp.set(
      await pingAll(redis).then(
        () => 1,
        () => 0,
      ),
    );
  };
  // What other workers brought about shows here when Prometheus asks: all at once, as Prometheus waits no longer than each.
  const refreshMetrics = async (): Promise<void> => {
    refreshGates();
    await Promise.all([refreshRedis(), ...names.map(refreshVenue), ...names.map(refreshBreakers)]);
  };
  const workerNumbers = new WorkerNumbers();
  const breakerWatch = new BreakerWatch({
    places,
    settings: (level) => breakerSettings(config, settingsOf(level)),
    read: async (name, levels) => {
      const answer = await workerNumbers.lease(name, (worker) => guard.breakers.readAs(worker, name, levels));
      // A new connection may have led to a server that did not answer yet.
      guard.store.compareAgain();
      return answer;
    },
    onOrdersLost: (scope) => controls?.lost(scope),
    onBack: () => guard.store.compare(),
    log,
  });
  const runtime: Runtime = {
    ...{ config, guard, watch, recorder, outbox, crowd: new Crowd(), log, effects, breakerWatch, workerNumbers },
    locals: new LocalBreakers((jobType) => breakerSettings(config, settingsOf(jobType))),
    onTurn: (turn) => controls?.turned(turn),
  };
  return {
    runtime,
    redis,
    watch,
    metrics,
    venues,
    venue,
    refreshMetrics,
    useControls: (theirs) => (controls = theirs),
    close: async () => {
      watch.stop();
      breakerWatch.stop();
      await outbox.flush();
      waiting?.disconnect();
      redis.disconnect();
    },
  };
}
