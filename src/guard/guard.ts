import { Breakers } from '../breaker/breakers';
import type { Levels } from '../breaker/levels';
import type { Hold, VenueHealth } from '../breaker/report';
import { ALL } from '../breaker/scope';
import { StoreUnavailableError, type RedisConnection } from '../redis/client';
import type { ReplicatedAdmissions, ReplicatedReply } from '../redis/replicated';
import { scriptRunner, type RunScript, type ScriptName } from '../redis/scripts';
import type {
  AbsenceRule,
  Admission,
  Ending,
  LookEnd,
  LookStart,
  LookVerdict,
  Owner,
  Settlement,
  Swept,
} from './answers';
import { guardKeys, inflightMember, parseInflightMember, type IntentRef } from './keys';
import { parseRecord, type GuardRecord, type RecordState } from './record';
import { admissionOf, lookEndOf, lookStartOf, settlementOf } from './replies';
import { Store, type StoreState } from './store';

/** What an end says about the venue's health, and at which levels. `worker`: 0 to 30. */
interface Report {
  levels: Levels;
  health: VenueHealth;
  worker: number;
  hold?: (Hold & { level: string }) | undefined;
}

/** Intents of one step of the sweep: small enough that no other script waits long for it. */
const SWEEP_STEP = 100;

/**
 * The idempotency guard: the scripts of `lua/` as typed calls, one round trip each.
 * Every method throws `StoreUnavailableError` when Redis did not answer; the script may have run all the same, and all
 * scripts may be sent again.
 */
export class Guard {
  /** What each venue's part of Redis is known to hold. */
  readonly store: Store;
  readonly breakers: Breakers;
  private readonly keys: ReturnType<typeof guardKeys>;
  private readonly run: RunScript;

  constructor(
    private readonly redis: RedisConnection,
    private readonly options: {
      namespace: string;
      ttlMs: number;
      /** For claims that must reach replicas before they count. */
      replicated?: ReplicatedAdmissions | undefined;
      /** Hears of every change of what is believed of a venue's store. */
      onStore?: (venue: string, state: StoreState) => void;
    },
  ) {
    this.keys = guardKeys(options.namespace);
    const run = scriptRunner(redis);
    this.run = (name, keys, args) => this.answered(name, run(name, keys, args));
    const get = (key: string): Promise<string | null> => this.answered('store', redis.get(key));
    const reads = {
      mget: (keys: string[]) => this.answered('breakers', redis.mget(keys)),
      xrange: (key: string, after: string, count: number) =>
        this.answered('audit', redis.xrange(key, after, '+', 'COUNT', count)),
    };
    this.breakers = new Breakers(this.run, reads, this.keys);
    this.store = new Store(this.run, get, this.keys, options.onStore);
  }

  /** May this attempt act? On GO the caller holds the claim for `leaseMs` from the moment before it asked. */
  async admit(
    ref: IntentRef,
    request: {
      owner: Owner;
      fingerprint: string;
      leaseMs: number;
      quiesceMs: number;
      knownUnsent: boolean;
      mostSends: number;
      /** Whether the claim is to reach replicas, where the settings ask for that. */
      replicate?: boolean;
      /** What may hold it. `held`: false for what lowers risk. `canProbe`: whether it has a harmless read to try first. */
      breaker?: { levels: Levels; held: boolean; canProbe: boolean } | undefined;
    },
  ): Promise<Admission> {
    const { owner, breaker } = request;
    const seen = this.store.seen(ref.venue);
    const { reply, missing } = await this.claim(ref, request, [
      inflightMember(ref),
      owner.activity,
      owner.attempt,
      owner.nonce,
      request.fingerprint,
      request.leaseMs,
      request.quiesceMs,
      request.knownUnsent ? 1 : 0,
      request.mostSends,
      this.options.ttlMs,
      seen.epoch,
      seen.goes,
      ...(breaker ? [breaker.levels.names.join(' '), breaker.levels.packed] : []),
      ...(breaker ? [breaker.held ? 1 : 0, breaker.canProbe ? 1 : 0] : []),
    ]);
    const { suspected } = this.store.learn(ref.venue, reply[1] ?? '');
    return admissionOf(reply, { suspected, missing });
  }

  /** Tells how the act behind `fence` ended. FENCED: the record has moved on and this word no longer counts. */
  async settle(
    ref: IntentRef,
    request: {
      fence: string;
      ending: Ending;
      /** JSON text. */
      payload: string;
      /** Ms since GO on the worker's monotonic clock. */
      elapsedMs: number;
      /** Ms that the act took, where it ended while Redis was away. Default: `elapsedMs`. */
      tookMs?: number;
      /** As the admission's: for how long to look first, should the claim be gone. */
      quiesceMs: number;
      breaker?: Report | undefined;
    },
  ): Promise<Settlement> {
    const { breaker } = request;
    const reply = await this.run('settle', this.endKeys(ref, breaker?.levels), [
      inflightMember(ref),
      request.fence,
      request.ending,
      request.payload,
      Math.round(request.elapsedMs),
      this.options.ttlMs,
      breaker?.health ?? 'none',
      request.quiesceMs,
      ...reportArgs(breaker),
      ...(breaker ? [Math.round(request.tookMs ?? request.elapsedMs)] : []),
    ]);
    return settlementOf(reply);
  }

  /** Takes the right to look. `givenUp` is the activity that Temporal has given up, `''` if none. */
  async lookBegin(
    ref: IntentRef,
    request: {
      looker: string;
      givenUp: string;
      fingerprint: string;
      leaseMs: number;
      quiesceMs: number;
      /** Looks after which only a person can tell. */
      mostLooks: number;
      /** JSON text of the refusal that ends an act that surely did not happen; `''` leaves it free to be sent again. */
      refusal: string;
      /** What may hold the look. */
      levels?: Levels | undefined;
    },
  ): Promise<LookStart> {
    const seen = this.store.seen(ref.venue);
    const { levels } = request;
    const reply = await this.run('look-begin', this.actKeys(ref, levels), [
      inflightMember(ref),
      request.looker,
      request.givenUp,
      request.fingerprint,
      request.leaseMs,
      request.quiesceMs,
      request.mostLooks,
      request.refusal,
      this.options.ttlMs,
      seen.epoch,
      seen.goes,
      ...(levels ? [levels.names.join(' '), levels.packed] : []),
    ]);
    this.store.learn(ref.venue, reply[1] ?? '');
    return lookStartOf(reply);
  }

  /** Tells what the look behind `fence` showed; `payload` is JSON text of the result, the error or the evidence. */
  async lookEnd(
    ref: IntentRef,
    request: {
      fence: string;
      verdict: LookVerdict;
      payload: string;
      absence: AbsenceRule;
      /** `elapsedMs`: how long the venue took, on the worker's monotonic clock. */
      breaker?: (Report & { elapsedMs: number }) | undefined;
    },
  ): Promise<LookEnd> {
    const { absence, breaker } = request;
    const reply = await this.run('look-end', this.endKeys(ref, breaker?.levels), [
      inflightMember(ref),
      request.fence,
      request.verdict,
      request.payload,
      this.options.ttlMs,
      absence.gapMs,
      absence.looks,
      breaker?.health ?? 'none',
      Math.round(breaker?.elapsedMs ?? 0),
      ...reportArgs(breaker),
    ]);
    return lookEndOf(reply);
  }

  /**
   * Writes a person's decision with its audit row. Refused (with the record's state) unless the record is MANUAL; "absent" is
   * too early while the last request may still take effect.
   */
  async resolve(
    ref: IntentRef,
    request: {
      decision: 'done' | 'absent' | 'rejected';
      payload: string;
      actor: string;
      reason: string;
      /** What the venue showed when the decision was taken; kept in the audit. */
      venueShows: string;
    },
  ): Promise<
    | { kind: 'OK'; state: string; attempts: number }
    | { kind: 'REFUSED'; state: string }
    | { kind: 'EARLY'; waitMs: number }
  > {
    const keys = [this.keys.record(ref), this.keys.inflight(ref.venue), this.keys.audit(ref.venue)];
    const [kind, state = '', attempts = '0'] = await this.run('resolve', keys, [
      inflightMember(ref),
      request.decision,
      request.payload,
      request.actor,
      request.reason,
      this.options.ttlMs,
      request.venueShows,
    ]);
    if (kind === 'EARLY') return { kind, waitMs: Number(state) };
    return kind === 'OK' ? { kind, state, attempts: Number(attempts) } : { kind: 'REFUSED', state };
  }

  async record(ref: IntentRef): Promise<GuardRecord | undefined> {
    const raw = await this.answered('record', this.redis.get(this.keys.record(ref)));
    return raw === null ? undefined : parseRecord(raw);
  }

  /** Every unresolved intent of a venue, the longest waiting first, with its record. */
  async unresolved(venue: string): Promise<{ ref: IntentRef; record: GuardRecord }[]> {
    const members = await this.answered('in-flight', this.redis.zrange(this.keys.inflight(venue), 0, -1));
    const refs = members.map((member) => ({ venue, ...parseInflightMember(member) }));
    if (refs.length === 0) return [];
    const raws = await this.answered('in-flight', this.redis.mget(refs.map((ref) => this.keys.record(ref))));
    return refs.flatMap((ref, i) => {
      const raw = raws[i];
      return raw ? [{ ref, record: parseRecord(raw) }] : [];
    });
  }

  /**
   * One step of the sweep: looks at up to `SWEEP_STEP` intents that are unresolved and past their quiescence, from the
   * `from`-th on. Claims whose time ran out become doubts. Answers those that no live lease holds, and how many were looked at.
   */
  async sweep(venue: string, from: number): Promise<{ open: Swept[]; looked: number }> {
    const inflight = this.keys.inflight(venue);
    const range = this.redis.zrangebyscore(inflight, '-inf', await this.now(), 'LIMIT', from, SWEEP_STEP);
    const members = await this.answered('in-flight', range);
    if (members.length === 0) return { open: [], looked: 0 };
    const refs = members.map((member) => ({ venue, ...parseInflightMember(member) }));
    const reply = await this.run('sweep', [inflight, ...refs.map((ref) => this.keys.record(ref))], members);
    const open: Swept[] = [];
    for (let i = 0; i < reply.length; i += 3) {
      const [member = '', state = '', owner = ''] = reply.slice(i, i + 3);
      open.push({ ref: { venue, ...parseInflightMember(member) }, state: state as RecordState, owner });
    }
    return { open, looked: members.length };
  }

  async unresolvedCount(venue: string): Promise<number> {
    return this.answered('in-flight', this.redis.zcard(this.keys.inflight(venue)));
  }

  /** Redis time, epoch ms: what all deadlines of the records are measured by. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.answered('time', this.redis.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  private async claim(
    ref: IntentRef,
    { replicate, breaker }: { replicate?: boolean; breaker?: { levels: Levels } | undefined },
    args: (string | number)[],
  ): Promise<ReplicatedReply> {
    const [keys, { replicated }] = [this.actKeys(ref, breaker?.levels), this.options];
    if (replicate && replicated) return this.answered('admit', replicated.admit(ref.venue, keys, args));
    return { reply: await this.run('admit', keys, args), missing: '' };
  }

  /** Record, store, what may hold the act, and last the in-flight set. */
  private actKeys(ref: IntentRef, levels?: Levels): string[] {
    const { keys } = this;
    const { venue } = ref;
    const held = levels?.names.flatMap((name) => [keys.override(venue, name), keys.breaker(venue, name)]) ?? [];
    const all = levels ? [keys.override(venue, ALL), ...held] : [];
    return [keys.record(ref), keys.store(venue), ...all, keys.inflight(venue)];
  }

  /** As above, but of what may hold it only the breakers, which count how it ended. */
  private endKeys(ref: IntentRef, levels?: Levels): string[] {
    const { keys } = this;
    const { venue } = ref;
    const counting = levels?.names.map((name) => keys.breaker(venue, name)) ?? [];
    return [keys.record(ref), keys.store(venue), ...counting, keys.inflight(venue)];
  }

  private async answered<T>(what: ScriptName | string, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      // A record that a script cannot read is no outage: nothing may go on as if Redis were away.
      if (error instanceof Error && error.message.includes('fillsafe: ')) throw error;
      throw new StoreUnavailableError(what, error);
    }
  }
}

/** Names of the levels, their settings, number of the worker; level that the venue told to hold, for how many ms, why. */
function reportArgs(report: Report | undefined): (string | number)[] {
  if (!report) return [];
  const { levels, worker, hold } = report;
  const held = [hold?.level ?? '', Math.round(hold?.ms ?? 0), hold?.why ?? ''];
  return [levels.names.join(' '), levels.packed, worker, ...held];
}
