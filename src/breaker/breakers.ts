import type { RunScript } from '../redis/scripts';
import { readRow, type AuditRow } from './control/audit';
import { parseTurns, type LevelTurn } from './levels';
import { NO_OVERRIDE, parseOverride, type Override } from './override';
import type { VenueHealth } from './report';
import { ALL, VENUE_LEVEL } from './scope';
import { packBreakerSettings, type BreakerSettings } from './settings';
import { parseBreaker, type BreakerSnapshot } from './snapshot';
import type { NumberedWorker } from './worker-numbers';

/** One level of a venue as Redis holds it: what is automatic, and what people ordered. */
export interface LevelStanding {
  level: string;
  breaker: BreakerSnapshot;
  override: Override;
}

/** What people ordered of a level, as its control workflow tells it: what is forced ends after `forMs` from now. */
export interface LevelOrders extends Omit<Override, 'until'> {
  forMs: number;
  /** The last orders as rows of the audit, the oldest first; those that Redis has are not written again. */
  rows: readonly { number: number; text: string }[];
  /** Hash of the last order's row: tells it from another one of the same number. An older version's workflow tells none. */
  hash?: string;
}

/** The breakers of the fleet, beside the acts that they judge. */
export class Breakers {
  constructor(
    private readonly run: RunScript,
    private readonly redis: {
      mget(keys: string[]): Promise<(string | null)[]>;
      /** Entries of a stream after an id, the oldest first, as flat lists of names and values. */
      xrange(key: string, after: string, count: number): Promise<[id: string, fields: string[]][]>;
    },
    private readonly keys: {
      breaker(venue: string, level: string): string;
      override(venue: string, level: string): string;
      audit(venue: string): string;
      inflight(venue: string): string;
      workers(venue: string): string;
    },
  ) {}

  /** The named levels of a venue, in one question; first `all`, of which there are only orders. */
  async read(venue: string, levels: readonly string[]): Promise<LevelStanding[]> {
    const names = [ALL, ...levels];
    return standingsOf(names, await this.redis.mget(this.keysOf(venue, names)));
  }

  /** As `read`, with the Redis time of it: whether something is over by then no clock of a worker's can tell. */
  async readAt(venue: string, levels: readonly string[]): Promise<{ nowMs: number; levels: LevelStanding[] }> {
    const names = [ALL, ...levels];
    const [nowMs, , ...raws] = await this.run('standings', this.keysOf(venue, names), []);
    return { nowMs: Number(nowMs), levels: standingsOf(names, raws) };
  }

  /** As `readAt`, asked by a worker: leases it the number by which the venue's breakers tell it from others. */
  async readAs(
    worker: NumberedWorker,
    venue: string,
    levels: readonly string[],
  ): Promise<{ nowMs: number; number: number; levels: LevelStanding[] }> {
    const names = [ALL, ...levels];
    const keys = [...this.keysOf(venue, names), this.keys.workers(venue)];
    const [nowMs, number, ...raws] = await this.run('standings', keys, [worker.token, worker.number]);
    return { nowMs: Number(nowMs), number: Number(number), levels: standingsOf(names, raws) };
  }

  /**
   * Tells what the read showed that `admit` asked for; nobody hears one that comes late. `lone`: it did not leave its worker, and
   * too few others were seen to have that trouble.
   */
  async probed(
    venue: string,
    { level, token }: { level: string; token: string },
    { health, worker }: { health: Exclude<VenueHealth, 'none'>; worker: number },
    settings: BreakerSettings,
  ): Promise<{ turns: LevelTurn[]; lone: boolean }> {
    const args = [token, health, packBreakerSettings(settings), worker];
    const [, turn = '', lone] = await this.run('probed', [this.keys.breaker(venue, level)], args);
    return { turns: parseTurns(turn && `${level} ${turn}`), lone: lone === '1' };
  }

  /** Writes what people ordered of a level. STALE: Redis knows of a later order, of this number, or of another one of the same. */
  async order(
    venue: string,
    level: string,
    orders: LevelOrders,
  ): Promise<{ kind: 'OK'; turns: LevelTurn[] } | { kind: 'STALE'; number: number }> {
    const { number, kill, force, forMs, actor, reason, ticket, killedBy, killReason, rows, hash = '' } = orders;
    const people = [actor, reason, ticket, killedBy, killReason].map((text) => text.replace(/[\r\n]+/g, ' '));
    // A control workflow that an older version runs tells no times.
    const { forcedAt = 0, killedAt = 0 } = orders;
    const breaker = this.keys.breaker(venue, level === ALL ? VENUE_LEVEL : level);
    const keys = [this.keys.override(venue, level), this.keys.audit(venue), this.keys.inflight(venue), breaker];
    const [kind, known = '', turn = ''] = await this.run('override', keys, [
      ...[number, kill ? '1' : '', force, Math.max(Math.round(forMs), 0), ...people],
      ...[forcedAt, killedAt, hash, level === ALL ? 1 : 0],
      ...rows.flatMap((row) => [row.number, row.text]),
    ]);
    if (kind === 'STALE') return { kind, number: Number(known) };
    return { kind: 'OK', turns: parseTurns(turn && `${level} ${turn}`) };
  }

  /** The kill that holds a job type at a venue, be it of everything, of the venue or of the job type alone. */
  async killOf(venue: string, jobType: string): Promise<Override> {
    const overrides = (await this.read(venue, [VENUE_LEVEL, jobType])).map(({ override }) => override);
    return overrides.find(({ kill }) => kill) ?? NO_OVERRIDE;
  }

  /** The audit of a scope as the stream of a venue has it, the oldest row first. What is no row of one is passed over. */
  async audit(venue: string, scope: string): Promise<AuditRow[]> {
    const rows: AuditRow[] = [];
    for (let after = '-'; ;) {
      const entries = await this.redis.xrange(this.keys.audit(venue), after, AUDIT_PAGE);
      for (const [, fields] of entries) {
        const row = fields.includes('override') ? readRow(fields[fields.indexOf('row') + 1] ?? '') : undefined;
        if (row?.scope === scope) rows.push(row);
      }
      const last = entries.at(-1)?.[0];
      if (last === undefined || entries.length < AUDIT_PAGE) return rows;
      after = `(${last}`;
    }
  }

  private keysOf(venue: string, levels: readonly string[]): string[] {
    return levels.flatMap((level) => [this.keys.breaker(venue, level), this.keys.override(venue, level)]);
  }
}

const AUDIT_PAGE = 1_000;

/** `raws`: breaker and override of each level. */
function standingsOf(levels: readonly string[], raws: readonly (string | null)[]): LevelStanding[] {
  return levels.map((level, i) => ({
    level,
    breaker: parseBreaker(raws[2 * i] ?? null),
    override: parseOverride(raws[2 * i + 1] ?? null),
  }));
}
