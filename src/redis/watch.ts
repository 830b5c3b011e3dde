import type { Logger } from 'pino';
import type { Growth } from './memory';
import type { VenueClockReading } from './findings';
import type { IntentRef } from '../guard/keys';
import type { RedisConnection } from './client-options';
import { isDurable } from './reading';
import { checkRedis, type CheckOptions, type RedisSafety } from './safety';

/** A rate over less than this says little. */
const LEAST_WATCHED_MS = 30_000;
/** A record of an order with its result, before one was seen. */
const USUAL_RECORD_BYTES = 700;
/** What Redis 6.2 to 8.2 need beside a key and its value: 80 to 170 for 100,000 keys that end at some time. */
const OVERHEAD_BYTES = 120;

export interface WatchOptions extends Omit<CheckOptions, 'clocks' | 'growth' | 'before'> {
  clocks(): VenueClockReading[];
  /** GOs so far, of all workers, as far as this one has heard of them; `undefined` while it has not. */
  goes(): number | undefined;
  ttlSeconds: number;
  keyOf(ref: IntentRef): string;
  log: Pick<Logger, 'error' | 'warn' | 'info'>;
  onCheck?: (safety: RedisSafety) => void;
  everyMs?: number;
  /** A monotonic clock, ms. */
  now?: () => number;
}

/**
 * Looks once a minute whether Redis can still be trusted. While it cannot, `unsafe` says why, and nothing that needs the
 * guard is admitted; a later look that finds all well lets it go on.
 *
 * A Redis that does not answer leaves the last judgement standing: its calls fail by themselves.
 */
export class RedisWatch {
  private last: RedisSafety | undefined;
  private running: Promise<RedisSafety> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sample: IntentRef | undefined;
  private from: { atMs: number; goes: number } | undefined;

  constructor(
    private readonly redis: RedisConnection,
    private readonly options: WatchOptions,
  ) {}

  /** Why no act may start; `undefined` while Redis can be trusted. */
  get unsafe(): string | undefined {
    return this.last?.problems[0];
  }

  /** Whether this Redis forces every claim to disk, and can wait for that. */
  get isDurable(): boolean {
    return this.last?.readings.every(isDurable) === true;
  }

  start(): void {
    const { everyMs = 60_000, log } = this.options;
    const look = (): void =>
      void this.check().catch((error: unknown) => log.warn({ err: error }, 'Redis could not be checked'));
    this.timer ??= setInterval(look, everyMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Hears of an act that is done: the record of one is measured at the next look. */
  ended(ref: IntentRef): void {
    this.sample = ref;
  }

  /** Looks now; callers that come while one look is under way share it. */
  check(): Promise<RedisSafety> {
    return (this.running ??= this.look().finally(() => (this.running = undefined)));
  }

  private async look(): Promise<RedisSafety> {
    const growth = await this.growth();
    const before = this.last;
    const safety = await checkRedis(this.redis, { ...this.options, clocks: this.options.clocks(), growth, before });
    this.last = safety;
    this.tell(before, safety);
    this.options.onCheck?.(safety);
    return safety;
  }

  /** The mean since the watch began: over the days that records live, it is what counts. */
  private async growth(): Promise<Growth | undefined> {
    const { goes, ttlSeconds, now = () => performance.now() } = this.options;
    const [atMs, all] = [now(), goes()];
    if (all === undefined) return undefined;
    // Fewer than before: Redis has lost its count.
    if (this.from === undefined || all < this.from.goes) this.from = { atMs, goes: all };
    const passedMs = atMs - this.from.atMs;
    if (passedMs < LEAST_WATCHED_MS) return undefined;
    const perSecond = ((all - this.from.goes) / passedMs) * 1_000;
    return { perSecond, ttlSeconds, recordBytes: await this.recordBytes() };
  }

  private async recordBytes(): Promise<number> {
    if (this.sample === undefined) return USUAL_RECORD_BYTES;
    const key = this.options.keyOf(this.sample);
    const value = await this.redis.get(key);
    return value === null ? USUAL_RECORD_BYTES : key.length + Buffer.byteLength(value) + OVERHEAD_BYTES;
  }

  /** Once for each change: numbers in the words change at every look. */
  private tell(before: RedisSafety | undefined, now: RedisSafety): void {
    const { log } = this.options;
    const was = new Set(before?.findings.map(({ check, state }) => `${check} ${state}`));
    for (const { check, state, found, todo } of now.findings) {
      if (state === 'ok' || was.has(`${check} ${state}`)) continue;
      if (state === 'warn') log.warn({ check, found, todo }, 'this Redis weakens the promise');
      // At the start the same words are the error that refuses to start.
      else if (before !== undefined)
        log.error({ check, found, todo }, 'Redis is not safe: acts that need the guard are held');
    }
    if (before !== undefined && before.problems.length > 0 && now.problems.length === 0)
      log.info('Redis is safe again: acts are admitted');
  }
}
