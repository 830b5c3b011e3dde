import type { RunScript } from '../redis/scripts';
import { parseTurns, type LevelTurn } from './levels';
import { parseOverride, type Override } from './override';
import type { VenueHealth } from './report';
import { ALL } from './scope';
import { packBreakerSettings, type BreakerSettings } from './settings';
import { parseBreaker, type BreakerSnapshot } from './snapshot';

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
}

/** The breakers of the fleet, beside the acts that they judge. */
export class Breakers {
  constructor(
    private readonly run: RunScript,
    private readonly mget: (keys: string[]) => Promise<(string | null)[]>,
    private readonly keys: {
      breaker(venue: string, level: string): string;
      override(venue: string, level: string): string;
      audit(venue: string): string;
      inflight(venue: string): string;
    },
  ) {}

  /** The named levels of a venue, in one question; first `all`, of which there are only orders. */
  async read(venue: string, levels: readonly string[]): Promise<LevelStanding[]> {
    const names = [ALL, ...levels];
    const keys = names.flatMap((level) => [this.keys.breaker(venue, level), this.keys.override(venue, level)]);
    const raws = await this.mget(keys);
    return names.map((level, i) => ({
      level,
      breaker: parseBreaker(raws[2 * i] ?? null),
      override: parseOverride(raws[2 * i + 1] ?? null),
    }));
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

  /** Writes what people ordered of a level. STALE: Redis knows of a later order, of this number. */
  async order(
    venue: string,
    level: string,
    orders: LevelOrders,
  ): Promise<{ kind: 'OK'; turns: LevelTurn[] } | { kind: 'STALE'; number: number }> {
    const { number, kill, force, forMs, actor, reason, ticket, killedBy, killReason, rows } = orders;
    const people = [actor, reason, ticket, killedBy, killReason].map((text) => text.replace(/[\r\n]+/g, ' '));
    const keys = [this.keys.override(venue, level), this.keys.audit(venue), this.keys.inflight(venue)];
    if (level !== ALL) keys.push(this.keys.breaker(venue, level));
    const [kind, known = '', turn = ''] = await this.run('override', keys, [
      ...[number, kill ? '1' : '', force, Math.max(Math.round(forMs), 0), ...people],
      ...rows.flatMap((row) => [row.number, row.text]),
    ]);
    if (kind === 'STALE') return { kind, number: Number(known) };
    return { kind: 'OK', turns: parseTurns(turn && `${level} ${turn}`) };
  }
}
