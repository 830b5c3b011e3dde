import type { Redis } from 'ioredis';
import { guardKeys, inflightMember, type IntentRef } from '../../src/guard/keys';
import type { Clock } from '../support/memory-redis';
import { age, shiftBreaker, shiftOverride, shiftRecord, shiftStore } from './shift-time';

interface Snapshot {
  records: (string | null)[];
  inflight: string[];
  store: string | null;
}

/** Real ms that a run on a real Redis may take without being mistaken for a tick. */
const DRIFT_MS = 100_000;

/** What Redis holds of the intents of a run: lets time pass for it, loses it, and turns it back. */
export class World {
  /** Ms by which two times may differ that are meant to be one. */
  readonly drift: number;
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
    this.drift = options.clock ? 1_000 : DRIFT_MS;
  }

  nowMs(): number {
    return this.options.clock?.nowMs() ?? Date.now();
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
    for (const ref of refs) await age(this.redis, this.keys.record(ref), { ms, shift: shiftRecord });
    await age(this.redis, this.keys.store(venue), { ms, shift: shiftStore });
    if (windowMs !== undefined) {
      const shift = (raw: string): string => shiftBreaker(raw, ms, windowMs);
      for (const level of ['venue', 'order.place']) {
        await age(this.redis, this.keys.breaker(venue, level), { ms, shift });
        await age(this.redis, this.keys.override(venue, level), { ms, shift: shiftOverride });
      }
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
