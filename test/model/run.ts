import type { Redis } from 'ioredis';
import type { Levels } from '../../src/breaker/levels';
import { LOOK_UP_LEVEL } from '../../src/breaker/scope';
import { Guard } from '../../src/guard/guard';
import { guardKeys } from '../../src/guard/keys';
import type { Clock } from '../support/memory-redis';
import type { Moment } from './breaker-model';
import type { BreakerRow } from './breaker-rows';
import { TICK_MS } from './compare';
import type { GuardRow, StoreRow } from './guard-rows';
import { Intent } from './intent';
import { levelsFor, type LevelSettings } from './judged';
import { LevelsModel, type LevelRow } from './levels-model';
import { LIFE_TICKS } from './life';
import type { ModelSettings } from './model-record';
import type { OrderRow } from './orders-model';
import { StoreModel, type ModelSeen } from './store-model';
import { World } from './world';

const TTL_MS = LIFE_TICKS * TICK_MS;
export const VENUE = 'paper';

export interface RunOptions {
  namespace: string;
  intents: number;
  settings: ModelSettings;
  breaker?: LevelSettings;
  /** Redis's clock, where the test holds it. */
  clock?: Clock | undefined;
  hit: (row: GuardRow | StoreRow | BreakerRow | LevelRow | OrderRow) => void;
}

/** What one run holds on both sides: the workers and their Redis, and the models. */
export class Run {
  /** Workers: each remembers what it has seen of the store. */
  readonly workers: { guard: Guard; seen: ModelSeen }[];
  readonly store: StoreModel;
  readonly world: World;
  readonly keys: ReturnType<typeof guardKeys>;
  readonly breaker: LevelsModel | undefined;
  /** The levels of the acts and of the looks, in the words of the real ones. */
  readonly judged: { acts: Levels; looks: Levels } | undefined;
  readonly intents: Intent[];
  readonly gos: { intent: number; go: number; fence: string; at: number }[] = [];
  /** Reads that were to be tried; their tokens are the ends of their time. */
  readonly probes: { level: string; endMs: number; untilMs: number }[] = [];
  /** In ticks, as of the last look at Redis's clock. */
  now = 0;
  private begunMs: number | undefined;
  /** Number of the last GO. */
  going = 0;
  /** Number of the last look. */
  looking = 0;

  constructor(
    readonly redis: Redis,
    readonly options: RunOptions,
  ) {
    const { namespace, settings, breaker, hit } = options;
    this.workers = [0, 1].map(() => ({
      guard: new Guard(redis, { namespace, ttlMs: TTL_MS }),
      seen: { epoch: 0, goes: 0 },
    }));
    this.store = new StoreModel(settings.quiesceTicks, hit);
    this.keys = guardKeys(namespace);
    this.breaker = breaker && new LevelsModel(breaker, hit);
    this.judged = breaker && {
      acts: levelsFor('order.place', breaker),
      looks: levelsFor(LOOK_UP_LEVEL, breaker),
    };
    const common = { venue: VENUE, settings, store: this.store, hit };
    this.intents = Array.from({ length: options.intents }, (_, i) => new Intent(i, common));
    const refs = this.intents.map(({ ref }) => ref);
    this.world = new World(redis, { namespace, venue: VENUE, refs, ttlMs: TTL_MS, clock: options.clock });
  }

  /** Looks at Redis's clock. */
  async look(): Promise<Moment> {
    const at = this.moment(await this.world.now());
    this.now = at.now;
    return at;
  }

  /** A moment on Redis's clock, and what it is in ticks. */
  moment(ms: number): Moment {
    this.begunMs ??= ms;
    return { ms, now: (ms - this.begunMs) / TICK_MS };
  }

  worker(number: number) {
    return at(this.workers, number);
  }

  intent(number: number): Intent {
    return at(this.intents, number);
  }

  /** The model's side of a call that compares the store with what its worker has seen. */
  readStore(seen: ModelSeen, neverUsed = false): void {
    this.store.read(this.now, seen, neverUsed);
    this.noticed();
  }

  noticed(): void {
    if (this.store.suspected(this.now)) for (const { ghost } of this.intents) ghost.storeLossNoticed();
  }
}

function at<T>(from: readonly T[], number: number): T {
  const found = from[number % from.length];
  if (!found) throw new Error(`none of ${from.length}`);
  return found;
}

/** Mostly the latest, but any that was ever given: a paused worker comes back late. */
export function pick<T>(from: readonly T[], back: number): T | undefined {
  return from.length === 0 ? undefined : from[from.length - 1 - (back % from.length)];
}
