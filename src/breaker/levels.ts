import { VENUE_LEVEL } from './scope';
import { packBreakerSettings, type BreakerSettings } from './settings';

/** The levels whose breakers see an act, as the scripts take them: names by spaces, settings by bars. */
export interface Levels {
  names: readonly string[];
  /** `''` for a level where nothing is automatic: people's orders hold all the same. */
  packed: string;
}

/** The levels of an act of this job type, for this account if it names one. */
export function levelsOf(
  { jobType, account }: { jobType: string; account?: string | undefined },
  settings: { venue: BreakerSettings; jobType: BreakerSettings; account: BreakerSettings } | undefined,
): Levels {
  const names = [VENUE_LEVEL, jobType];
  const packed = settings ? [settings.venue, settings.jobType].map(packBreakerSettings) : ['', ''];
  if (account !== undefined) {
    names.push(`account:${account}`);
    packed.push(settings ? packBreakerSettings(settings.account) : '');
  }
  return { names, packed: packed.join('|') };
}

/** A change of an automatic state, as the script that made it tells. */
export interface LevelTurn {
  level: string;
  from: string;
  to: string;
  why: string;
  /** Redis ms; of two turns of a level the later one never has the smaller. */
  at: number;
}

/** Lines of `level at from to why`. */
export function parseTurns(text: string): LevelTurn[] {
  if (text === '') return [];
  return text.split('\n').map((line) => {
    const [level = '', at, from = '', to = '', ...why] = line.split(' ');
    return { level, from, to, why: why.join(' '), at: Number(at) };
  });
}
