import { BreakerModel, type BreakerModelSettings, type BreakerRow, type Outcome } from './breaker-model';

// What people ordered, what the venue said and the breakers of the levels, decided as one.

export const LEVEL_ROWS = [
  'all killed: refuses',
  'a level killed: refuses',
  'held by the venue: refuses',
  'held by the venue: what lowers risk waits too',
  'forced open: refuses',
  'forced closed: lets pass what it would refuse',
  'observe: lets pass what it would refuse',
  'observe: a hold holds nothing',
  'what lowers risk passes a kill',
  'what lowers risk passes an open breaker',
  'a force that has ended holds nothing',
  'the strictest level speaks',
] as const;
export type LevelRow = (typeof LEVEL_ROWS)[number];

export type LevelVerdict =
  | { verdict: 'pass'; wouldBlock: boolean }
  | { verdict: 'wait'; waitTicks: number; soonMs: number; place: number; level: string }
  | { verdict: 'probe'; until: number; level: string };

export interface Order {
  kill: boolean;
  force: '' | 'open' | 'closed';
  until: number;
}

interface Level {
  name: string;
  breaker: BreakerModel;
  order: Order | undefined;
}

/** Levels that concern every act of a venue. */
const isWide = (name: string): boolean => name === 'venue' || name.startsWith('account:');

export class LevelsModel {
  readonly levels: Level[];
  allKilled = false;

  constructor(
    settings: Record<string, BreakerModelSettings>,
    private readonly hit: (row: BreakerRow | LevelRow) => void,
  ) {
    this.levels = Object.entries(settings).map(([name, each]) => {
      return { name, breaker: new BreakerModel(each, hit), order: undefined };
    });
  }

  get places(): number {
    return this.levels[0]!.breaker.settings.places;
  }

  get enforces(): boolean {
    return this.levels[0]!.breaker.settings.mode === 'enforce';
  }

  level(name: string): Level {
    return this.levels.find((level) => level.name === name)!;
  }

  judge(now: number, go: number, act: { bucket: number; held: boolean; canProbe: boolean }): LevelVerdict {
    const { held } = act;
    const first = this.levels[0]!;
    const killed = this.allKilled ? 'all' : this.levels.find(({ order }) => order?.kill)?.name;
    if (killed !== undefined && held) {
      this.hit(killed === 'all' ? 'all killed: refuses' : 'a level killed: refuses');
      const speaker = killed === 'all' ? first : this.level(killed);
      return { verdict: 'wait', waitTicks: 0, soonMs: 5_000, place: speaker.breaker.place(), level: killed };
    }
    if (killed !== undefined) this.hit('what lowers risk passes a kill');
    const holding = this.levels
      .filter(({ name, breaker }) => breaker.holdUntil > now && (held || isWide(name)))
      .sort((a, b) => b.breaker.holdUntil - a.breaker.holdUntil)[0];
    if (holding && !this.enforces) this.hit('observe: a hold holds nothing');
    if (holding && this.enforces) {
      this.hit(held ? 'held by the venue: refuses' : 'held by the venue: what lowers risk waits too');
      return this.wait(holding, holding.breaker.holdUntil - now, 0);
    }
    if (!held) {
      if (this.levels.some(({ breaker }) => breaker.state === 'OPEN'))
        this.hit('what lowers risk passes an open breaker');
      return { verdict: 'pass', wouldBlock: false };
    }
    if (this.levels.some(({ order }) => order && order.force !== '' && order.until <= now))
      this.hit('a force that has ended holds nothing');
    const forced = this.levels.find(({ order }) => order?.force === 'open' && order.until > now);
    if (forced) {
      this.hit('forced open: refuses');
      return this.wait(forced, forced.order!.until - now, 0);
    }
    return this.automatic(now, go, act);
  }

  private automatic(now: number, go: number, act: { bucket: number; canProbe: boolean }): LevelVerdict {
    let wouldBlock = false;
    let probe: Level | undefined;
    const waiting: { level: Level; until: number; soonMs: number }[] = [];
    const permits: Level[] = [];
    for (const level of this.levels) {
      const closed = level.order?.force === 'closed' && level.order.until > now;
      const watched = closed || !this.enforces;
      const said = level.breaker.judge(now, go, act.bucket, act.canProbe && !watched);
      if (said.verdict === 'permit') permits.push(level);
      else if (said.verdict !== 'pass' && watched) {
        this.hit(closed ? 'forced closed: lets pass what it would refuse' : 'observe: lets pass what it would refuse');
        wouldBlock = true;
      } else if (said.verdict === 'probe') probe ??= level;
      else if (said.verdict === 'wait') waiting.push({ level, ...said });
    }
    const strictest = waiting.reduce<(typeof waiting)[number] | undefined>(
      (best, each) => (best && best.until * 1e9 + best.soonMs >= each.until * 1e9 + each.soonMs ? best : each),
      undefined,
    );
    if (strictest) {
      if (waiting.length > 1 || permits.length > 0) this.hit('the strictest level speaks');
      return this.wait(strictest.level, strictest.until - now, strictest.soonMs);
    }
    if (probe) {
      probe.breaker.startProbe(now);
      return { verdict: 'probe', until: probe.breaker.probeUntil, level: probe.name };
    }
    for (const { breaker } of permits) breaker.takePermit(now, go);
    return { verdict: 'pass', wouldBlock };
  }

  private wait({ name, breaker }: Level, waitTicks: number, soonMs: number): LevelVerdict {
    return { verdict: 'wait', waitTicks, soonMs, place: breaker.place(), level: name };
  }

  /** What became of an act, at every level; answers whether its worker is alone in failing. */
  record(
    now: number,
    go: number,
    lastGo: number,
    told: { outcome: Outcome; slow: boolean; worker: number; hold?: { level: string; ticks: number } | undefined },
  ): boolean {
    let lone = false;
    for (const { name, breaker } of this.levels) {
      lone = breaker.record(now, go, lastGo, told) || lone;
      if (told.hold?.level === name) breaker.holdUntil = Math.max(breaker.holdUntil, now + told.hold.ticks);
    }
    return lone;
  }
}
