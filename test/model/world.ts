import type { Redis } from 'ioredis';
import { ALL, LOOK_UP_LEVEL, VENUE_LEVEL } from '../../src/breaker/scope';
import { guardKeys, inflightMember, type IntentRef } from '../../src/guard/keys';
import type { Clock } from '../support/memory-redis';
import { age, shiftBreaker, shiftOverride, shiftRecord, shiftStore } from './shift-time';

const LEVELS = [VENUE_LEVEL, 'order.place', LOOK_UP_LEVEL];

interface Snapshot {
  records: (string | null)[];
  inflight: string[];
  store: string | null;
}

/** What Redis holds of the intents of a run: lets time pass for it, loses it, and turns it back. */
export class World {
  /** Ms by which two times may differ that are meant to be one: what a call may take. */
  readonly drift: number = 1_000;
  /** Ms by which what a real Redis holds was moved into the past. */
  private moved = 0;
  private readonly keys: ReturnType<typeof guardKeys>;
  private saved: Snapshot | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly options: {
      namespace: string;
      venue: string;
      refs: IntentRef[];
      ttlMs: number;
      clock: Clock | undefined;
    },
  ) {
    this.keys = guardKeys(options.namespace);
  }

  /** Redis's clock, ms, as if it had moved where what it holds was. */
  async now(): Promise<number> {
    const { clock } = this.options;
    if (clock) return clock.nowMs();
    const [seconds, micros] = await this.redis.time();
    return this.seen(Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000));
  }

  /** A moment that Redis itself tells, on that clock. */
  seen(ms: number): number {
    return ms + this.moved;
  }

  /** The other way round. */
  own(ms: number): number {
    return ms - this.moved;
  }

  /** What a worker says to have passed since its GO of `ms` ago. */
  sinceGo(ms: number): number {
    // Where the clock does not move, the moment of GO that the fence tells is always now.
    return this.options.clock ? ms : 0;
  }

  /** A clock in the test's hand moves on. That of a real Redis does not: there, what it holds moves into the past. */
  async pass(ms: number, windowMs: number | undefined): Promise<void> {
    const { refs, venue, clock } = this.options;
    if (clock) return clock.advance(ms);
    this.moved += ms;
    for (const ref of refs) await age(this.redis, this.keys.record(ref), { ms, shift: shiftRecord });
    await age(this.redis, this.keys.store(venue), { ms, shift: shiftStore });
    if (windowMs !== undefined) {
      const shift = (raw: string): string => shiftBreaker(raw, ms, windowMs);
      for (const level of LEVELS) await age(this.redis, this.keys.breaker(venue, level), { ms, shift });
      for (const level of [ALL, ...LEVELS])
        await age(this.redis, this.keys.override(venue, level), { ms, shift: shiftOverride });
    }
    if (!this.saved) return;
    const { records, inflight, store } = this.saved;
    this.saved = {
      records: records.map((raw) => raw && shiftRecord(raw, ms)),
      inflight,
      store: store && shiftStore(store, ms),
    };
  }

  async drop(ref: IntentRef): Promise<void> {
    await this.redis.del(this.keys.record(ref));
    await this.redis.zrem(this.keys.inflight(this.options.venue), inflightMember(ref));
  }

  /** What it holds of the breakers and of people's orders is gone. */
  async dropLevels(): Promise<void> {
    const { venue } = this.options;
    const breakers = LEVELS.map((level) => this.keys.breaker(venue, level));
    const overrides = [ALL, ...LEVELS].map((level) => this.keys.override(venue, level));
    await this.redis.del(...breakers, ...overrides, this.keys.audit(venue));
  }

  async flush(): Promise<void> {
    const { refs, venue } = this.options;
    const records = refs.map((ref) => this.keys.record(ref));
    await this.redis.del(...records, this.keys.inflight(venue), this.keys.store(venue));
  }

  async save(): Promise<void> {
    const { refs, venue } = this.options;
    this.saved = {
      records: await this.redis.mget(refs.map((ref) => this.keys.record(ref))),
      inflight: await this.redis.zrange(this.keys.inflight(venue), 0, -1, 'WITHSCORES'),
      store: await this.redis.get(this.keys.store(venue)),
    };
  }

  /** Redis comes back as it was when it was saved, as after a failover to a replica that lagged. */
  async rollBack(): Promise<void> {
    const { saved } = this;
    if (!saved) return;
    await this.flush();
    const { refs, venue, ttlMs } = this.options;
    const { records, inflight, store } = saved;
    for (const [i, raw] of records.entries()) {
      const ref = refs[i];
      if (raw === null || ref === undefined) continue;
      const lives = inflight.includes(inflightMember(ref));
      await (lives
        ? this.redis.set(this.keys.record(ref), raw)
        : this.redis.set(this.keys.record(ref), raw, 'PX', ttlMs));
    }
    for (let i = 0; i < inflight.length; i += 2)
      await this.redis.zadd(this.keys.inflight(venue), inflight[i + 1] ?? 0, inflight[i] ?? '');
    if (store !== null) await this.redis.set(this.keys.store(venue), store);
  }
}
