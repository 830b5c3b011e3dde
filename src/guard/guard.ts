import { packBreakerSettings, type BreakerSettings, type BreakerState } from '../breaker/settings';
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
  VenueHealth,
} from './answers';
import { guardKeys, inflightMember, parseInflightMember, type IntentRef } from './keys';
import { parsePayload, parseRecord, type GuardRecord, type RecordState } from './record';
import { Store, type StoreState } from './store';

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
      breaker?: BreakerSettings | undefined;
    },
  ): Promise<Admission> {
    const { owner } = request;
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
      request.breaker ? packBreakerSettings(request.breaker) : '',
    ]);
    const [kind, mark = '', first = '', second = '', third = ''] = reply;
    const { suspected } = this.store.learn(ref.venue, mark);
    switch (kind) {
      case 'GO':
        return { kind, fence: first, sends: Number(second), wouldBlock: third === '1', missing };
      case 'REPLAY':
      case 'REJECTED':
        return { kind, payload: parsePayload(first), owner: second, attempts: Number(third) };
      case 'BUSY':
      case 'OPEN':
        return { kind, waitMs: Number(first) };
      case 'UNKNOWN':
        return { kind, waitMs: Number(first), suspected };
      case 'CONFLICT':
        return { kind };
      case 'MANUAL':
        return { kind, evidence: parsePayload(first) };
      default:
        throw unexpected('admit', kind);
    }
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
      health: VenueHealth;
      /** As the admission's: for how long to look first, should the claim be gone. */
      quiesceMs: number;
      breaker?: BreakerSettings | undefined;
    },
  ): Promise<Settlement> {
    const [kind, state = '', third = '', before = '', after = ''] = await this.run(
      'settle',
      this.scriptKeys(ref, request.breaker),
      [
        inflightMember(ref),
        request.fence,
        request.ending,
        request.payload,
        Math.round(request.elapsedMs),
        this.options.ttlMs,
        request.health,
        request.quiesceMs,
        request.breaker ? packBreakerSettings(request.breaker) : '',
      ],
    );
    if (kind === 'FENCED') return { kind, state, payload: parsePayload(third) };
    if (kind !== 'OK') throw unexpected('settle', kind);
    return {
      kind,
      state,
      attempts: Number(third),
      breakerBefore: before as BreakerState | '',
      breakerAfter: after as BreakerState | '',
    };
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
    },
  ): Promise<LookStart> {
    const seen = this.store.seen(ref.venue);
    const reply = await this.run('look-begin', this.scriptKeys(ref), [
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
    ]);
    const [kind, mark = '', first = '', second = '', third = ''] = reply;
    this.store.learn(ref.venue, mark);
    switch (kind) {
      case 'LOOK': {
        const [toQuiescenceMs = 0, never = 0, looks = 0, absents = 0, sinceAbsentMs = 0, ageMs = 0] = reply
          .slice(3)
          .map(Number);
        return { kind, fence: first, toQuiescenceMs, neverSent: never === 1, looks, absents, sinceAbsentMs, ageMs };
      }
      case 'DONE':
      case 'REJECTED':
        return { kind, payload: parsePayload(first), owner: second, attempts: Number(third) };
      case 'RELEASED':
        return { kind, neverSent: first === '1' };
      case 'BUSY':
        return { kind, waitMs: Number(first) };
      case 'MANUAL':
        return { kind, evidence: parsePayload(first) };
      case 'CONFLICT':
        return { kind };
      default:
        throw unexpected('look-begin', kind);
    }
  }

  /** Tells what the look behind `fence` showed; `payload` is JSON text of the result, the error or the evidence. */
  async lookEnd(
    ref: IntentRef,
    request: { fence: string; verdict: LookVerdict; payload: string; absence: AbsenceRule },
  ): Promise<LookEnd> {
    const { absence } = request;
    const keys = [this.keys.record(ref), this.keys.inflight(ref.venue)];
    const [kind, first = ''] = await this.run('look-end', keys, [
      inflightMember(ref),
      request.fence,
      request.verdict,
      request.payload,
      this.options.ttlMs,
      absence.gapMs,
      absence.looks,
    ]);
    switch (kind) {
      case 'DONE':
      case 'REJECTED':
        return { kind, attempts: Number(first) };
      case 'RELEASED':
        return { kind, neverSent: first === '1' };
      case 'AGAIN':
        return { kind, waitMs: Number(first) };
      case 'MANUAL':
        return { kind };
      case 'FENCED':
        return { kind, state: first };
      default:
        throw unexpected('look-end', kind);
    }
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

  async breaker(venue: string, jobType: string): Promise<string | null> {
    return this.answered('breaker', this.redis.get(this.keys.breaker(venue, jobType)));
  }

  /** Redis time, epoch ms: what all deadlines of the records are measured by. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.answered('time', this.redis.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  private async claim(
    ref: IntentRef,
    { replicate, breaker }: { replicate?: boolean; breaker?: BreakerSettings | undefined },
    args: (string | number)[],
  ): Promise<ReplicatedReply> {
    const [keys, { replicated }] = [this.scriptKeys(ref, breaker), this.options];
    if (replicate && replicated) return this.answered('admit', replicated.admit(ref.venue, keys, args));
    return { reply: await this.run('admit', keys, args), missing: '' };
  }

  private scriptKeys(ref: IntentRef, breaker?: BreakerSettings): string[] {
    const keys = [this.keys.record(ref), this.keys.inflight(ref.venue), this.keys.store(ref.venue)];
    return breaker ? [...keys, this.keys.breaker(ref.venue, ref.jobType)] : keys;
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

function unexpected(script: ScriptName, kind: string | undefined): Error {
  return new Error(`${script}.lua answered ${String(kind)}, which this version does not know`);
}
