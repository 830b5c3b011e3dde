import type { Logger } from 'pino';
import type { Place } from '../domain/job-types';
import type { LevelStanding } from './breakers';
import type { LevelTurn } from './levels';
import { NO_OVERRIDE, type Override } from './override';
import { ALL, LOOK_UP_LEVEL, scopeOf, VENUE_LEVEL } from './scope';
import type { BreakerSettings } from './settings';
import { parseBreaker, standing, type BreakerSnapshot, type Standing } from './snapshot';

/** How many acts of a place a worker may begin: what the strictest of its levels says. */
export interface Pace {
  /** 0: none; Infinity: as many as it can. */
  perSecond: number;
  scope: string;
  standing: Standing;
  why: string;
  /** Ms until this ends; Infinity where nothing ends it by itself. */
  leftMs: number;
  /** People ordered it, and Redis has lost that: only who remembers can hold to it. */
  isLost: boolean;
}

export interface BreakerWatchOptions {
  /** Whose levels are watched. */
  places: readonly Place[];
  /** How a level decides; `undefined` where nothing of it is automatic. */
  settings(level: string): BreakerSettings | undefined;
  read(venue: string, levels: readonly string[]): Promise<{ nowMs: number; levels: LevelStanding[] }>;
  /** Hears once of each loss: Redis shows fewer orders of a scope than it had, which are still remembered. Never throws. */
  onOrdersLost(scope: string): void;
  /** Hears that Redis answers again after it did not. Never throws. */
  onBack(): void;
  log: Pick<Logger, 'warn' | 'info'>;
  everyMs?: number;
  /** A monotonic clock, ms. */
  now?: () => number;
}

interface Level {
  name: string;
  settings: BreakerSettings | undefined;
  breaker: BreakerSnapshot;
  /** The latest that was seen, whatever Redis shows now. */
  override: Override;
  isLost: boolean;
}

interface Venue {
  name: string;
  levels: Map<string, Level>;
  /** Redis ms, and when by the monotonic clock that was; `undefined` before the first answer. */
  clock: { redisMs: number; atMs: number } | undefined;
  /** Nothing holds anything there: what most acts find. */
  isCalm: boolean;
  reading: Promise<void> | undefined;
  /** Something turned since the read that is under way began. */
  isStale: boolean;
  isAway: boolean;
}

const EVERY_MS = 1_000;
const UNTOUCHED = parseBreaker(null);
const FREE: Pace = { perSecond: Infinity, scope: '', standing: 'CLOSED', why: '', leftMs: Infinity, isLost: false };

/**
 * How the breakers stand, as far as this process knows: from one question per venue a second, and at once from what its own acts
 * are told. Kept when Redis is away. It decides what a worker takes from its queues; whether an act may pass, `admit` decides.
 *
 * No method throws. Times are Redis's, carried on by a monotonic clock.
 */
export class BreakerWatch {
  private readonly venues = new Map<string, Venue>();
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private readonly now: () => number;

  constructor(private readonly options: BreakerWatchOptions) {
    this.now = options.now ?? (() => performance.now());
    for (const { venue, jobType } of options.places) {
      const levels = this.venues.get(venue)?.levels ?? new Map<string, Level>();
      for (const name of [ALL, VENUE_LEVEL, LOOK_UP_LEVEL, jobType]) {
        const settings = name === ALL ? undefined : options.settings(name);
        levels.set(name, { name, settings, breaker: UNTOUCHED, override: NO_OVERRIDE, isLost: false });
      }
      const rest = { clock: undefined, isCalm: true, reading: undefined, isStale: false, isAway: false };
      this.venues.set(venue, { name: venue, levels, ...rest });
    }
  }

  /** Resolves when every venue was asked once. */
  async start(): Promise<void> {
    const readAll = () => Promise.all([...this.venues.values()].map((venue) => this.read(venue)));
    this.timer ??= setInterval(() => void readAll(), this.options.everyMs ?? EVERY_MS).unref();
    await readAll();
  }

  stop(): void {
    clearInterval(this.timer);
    this.isStopped = true;
  }

  /** Asks now how a venue stands, or all do; resolves when that is known, or Redis does not tell. */
  async refresh(venue?: string): Promise<void> {
    const asked = [...this.venues.values()].filter(({ name }) => venue === undefined || name === venue);
    const read = (known: Venue): Promise<void> => {
      known.isStale = true;
      return this.read(known);
    };
    await Promise.all(asked.map(read));
  }

  /** What a script turned, which this process hears first. */
  hear(venue: string, turns: readonly LevelTurn[]): void {
    const known = this.venues.get(venue);
    if (!known || turns.length === 0) return;
    const nowMs = this.redisNow(known);
    for (const { level: name, to, why } of turns) {
      const level = known.levels.get(name);
      if (!level) continue;
      const state = to as BreakerSnapshot['state'];
      // Until Redis has told how long it really stays open.
      const openUntil = nowMs + (level.settings?.openMs ?? 0);
      level.breaker = { ...level.breaker, state, since: nowMs, openUntil, why };
    }
    known.isCalm = isCalm(known, nowMs);
    void this.refresh(venue);
  }

  /** An act was held by this level: asks at once where that is news. */
  held({ venue, jobType }: Place, level: string): void {
    const known = this.venues.get(venue);
    if (known?.levels.has(level) && this.pace({ venue, jobType }).perSecond === Infinity) void this.read(known);
  }

  /** How many acts of a place may be begun. */
  pace({ venue, jobType }: Place): Pace {
    const known = this.venues.get(venue);
    if (!known || known.isCalm) return FREE;
    const nowMs = this.redisNow(known);
    return levelsOf(known, jobType)
      .map((level) => paceOf(venue, level, nowMs))
      .reduce(stricter, FREE);
  }

  /** The latest of what people ordered of a scope, as far as this process has seen it. */
  remembered(scope: string): Override {
    const levels = [...this.venues.values()].flatMap((venue) =>
      [...venue.levels.values()].filter(({ name }) => scopeOf(venue.name, name) === scope),
    );
    return levels
      .map(({ override }) => override)
      .reduce((latest, each) => (each.number > latest.number ? each : latest), NO_OVERRIDE);
  }

  /** Whether people ordered that what is automatic lets acts of this place pass. */
  isForcedClosed({ venue, jobType }: Place): boolean {
    const known = this.venues.get(venue);
    if (!known || known.isCalm) return false;
    const nowMs = this.redisNow(known);
    return levelsOf(known, jobType).some(
      ({ breaker, override }) => standing(breaker, override, nowMs).standing === 'FORCED_CLOSED',
    );
  }

  /** Redis time never runs ahead here: what was read on its way was older than it came. So nothing ends too early. */
  private redisNow({ clock }: Venue): number {
    return clock ? clock.redisMs + this.now() - clock.atMs : 0;
  }

  private read(venue: Venue): Promise<void> {
    return (venue.reading ??= this.readUntilFresh(venue).finally(() => (venue.reading = undefined)));
  }

  private async readUntilFresh(venue: Venue): Promise<void> {
    const names = [...venue.levels.keys()].filter((name) => name !== ALL);
    do {
      venue.isStale = false;
      try {
        const answer = await this.options.read(venue.name, names);
        // What was heard meanwhile is newer than what was asked before.
        if (!venue.isStale) this.learn(venue, answer);
      } catch (error) {
        const isNews = !venue.isAway && !this.isStopped;
        if (isNews) this.options.log.warn({ venue: venue.name, reason: (error as Error).message }, AWAY);
        venue.isAway = true;
        return;
      }
    } while (venue.isStale);
  }

  private learn(venue: Venue, { nowMs, levels }: { nowMs: number; levels: readonly LevelStanding[] }): void {
    if (venue.isAway) {
      this.options.log.info({ venue: venue.name }, 'how the breakers stand is read from Redis again');
      this.options.onBack();
    }
    venue.isAway = false;
    venue.clock = { redisMs: nowMs, atMs: this.now() };
    for (const { level: name, breaker, override } of levels) {
      const level = venue.levels.get(name);
      if (!level) continue;
      level.breaker = breaker;
      const isFewer = override.number < level.override.number;
      if (isFewer && !level.isLost) this.options.onOrdersLost(scopeOf(venue.name, name));
      // What people ordered holds on until its control workflow has told Redis again. A kill counts from whenever it is.
      level.isLost = isFewer && !override.kill;
      if (!level.isLost) level.override = override;
    }
    venue.isCalm = isCalm(venue, nowMs);
  }
}

const AWAY = 'how the breakers stand cannot be read from Redis: what was last seen counts';

function levelsOf({ levels }: Venue, jobType: string): Level[] {
  return [ALL, VENUE_LEVEL, jobType].flatMap((name) => levels.get(name) ?? []);
}

function isCalm({ levels }: Venue, nowMs: number): boolean {
  return [...levels.values()].every(
    ({ breaker, override }) => standing(breaker, override, nowMs).standing === 'CLOSED',
  );
}

function paceOf(venue: string, { name, settings, breaker, override, isLost }: Level, nowMs: number): Pace {
  // What only watches holds nothing: only what people ordered counts then.
  const automatic = settings?.mode === 'enforce' ? breaker : UNTOUCHED;
  const { standing: now, until, why } = standing(automatic, override, nowMs);
  const leftMs = until > 0 ? Math.max(until - nowMs, 0) : Infinity;
  const about = { scope: scopeOf(venue, name), standing: now, why, leftMs, isLost };
  switch (now) {
    case 'KILLED':
    case 'HELD':
    case 'FORCED_OPEN':
      return { ...about, perSecond: 0 };
    case 'OPEN':
      // When its time is over it turns no earlier than somebody asks: so some are let go to ask.
      return { ...about, perSecond: leftMs > 0 ? 0 : (settings?.permits ?? 1) };
    case 'HALF_OPEN':
      return { ...about, perSecond: settings?.permits ?? 1 };
    case 'RAMP':
      return { ...about, perSecond: settings ? rampPace(settings, nowMs - breaker.since) : Infinity };
    case 'CLOSED':
    case 'FORCED_CLOSED':
      return { ...about, perSecond: Infinity };
  }
}

/** Stages of `lua/ramp.lua`; with each further time of one it lets twice as many pass. */
const RAMP_STAGES = 4;

/** A little more than the fleet lets pass in this part of the ramp: that some are refused shows it that more are waiting. */
function rampPace({ reopenPerSecond, rampMs }: BreakerSettings, sinceMs: number): number {
  const further = Math.max(Math.floor(sinceMs / rampMs) - RAMP_STAGES + 1, 0);
  const perSecond = Math.max(reopenPerSecond, 1) * 2 ** Math.min(further, 20);
  return perSecond + Math.max(perSecond / 4, 1);
}

/** Of two that hold, the one that lasts longer is told. */
function stricter(one: Pace, other: Pace): Pace {
  if (one.perSecond !== other.perSecond) return one.perSecond < other.perSecond ? one : other;
  return one.leftMs >= other.leftMs ? one : other;
}
