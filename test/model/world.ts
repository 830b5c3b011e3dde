import type { Redis } from 'ioredis';
import { guardKeys, inflightMember, type IntentRef } from '../../src/guard/keys';
import { rewrite, shiftBreaker, shiftRecord, shiftStore } from './shift-time';

interface Snapshot {
  records: (string | null)[];
  inflight: string[];
  store: string | null;
}

/** What Redis holds of the intents of a run: lets time pass for it, loses it, and turns it back. */
export class World {
  private readonly keys: ReturnType<typeof guardKeys>;
  private saved: Snapshot | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly options: { namespace: string; venue: string; refs: IntentRef[]; ttlMs: number },
  ) {
    this.keys = guardKeys(options.namespace);
  }

  async pass(ms: number, windowMs: number | undefined): Promise<void> {
    const { refs, venue } = this.options;
    for (const ref of refs) await rewrite(this.redis, this.keys.record(ref), (raw) => shiftRecord(raw, ms));
    await rewrite(this.redis, this.keys.store(venue), (raw) => shiftStore(raw, ms));
    if (windowMs !== undefined)
      await rewrite(this.redis, this.keys.breaker(venue, 'order.place'), (raw) => shiftBreaker(raw, ms, windowMs));
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
