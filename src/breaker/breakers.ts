import type { RedisConnection } from '../redis/client-options';
import type { RunScript } from '../redis/scripts';
import { parseTurns, type LevelTurn } from './levels';
import { parseOverride, type Override } from './override';
import { ALL } from './scope';
import { packBreakerSettings, type BreakerSettings } from './settings';
import { parseBreaker, type BreakerSnapshot } from './snapshot';

/** One level of a venue as Redis holds it: what is automatic, and what people ordered. */
export interface LevelStanding {
  level: string;
  breaker: BreakerSnapshot;
  override: Override;
}

/** The breakers of the fleet, beside the acts that they judge. */
export class Breakers {
  constructor(
    private readonly run: RunScript,
    private readonly mget: (keys: string[]) => Promise<(string | null)[]>,
    private readonly keys: {
      breaker(venue: string, level: string): string;
      override(venue: string, level: string): string;
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

  /** Tells what the read showed that `admit` asked for; nobody hears one that comes late. */
  async probed(
    venue: string,
    { level, token }: { level: string; token: string },
    isWell: boolean,
    settings: BreakerSettings,
  ): Promise<LevelTurn[]> {
    const args = [token, isWell ? 'ok' : 'fail', packBreakerSettings(settings)];
    const [kind, turn = ''] = await this.run('probed', [this.keys.breaker(venue, level)], args);
    return kind === 'TAKEN' ? parseTurns(`${level} ${turn}`) : [];
  }
}
