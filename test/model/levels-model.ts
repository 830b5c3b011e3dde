import { BreakerModel, type BreakerModelSettings, type Moment, type Told } from './breaker-model';
import type { BreakerRow } from './breaker-rows';
import { secondOf } from './ramp-model';
import { OrdersModel, type Order, type OrderRow } from './orders-model';

// What people ordered, what the venue said and the breakers of the levels, decided as one.

export const LEVEL_ROWS = [
  'all killed: refuses',
  'a level killed: refuses',
  'a kill outlives a force that was ordered with it',
  'all unkilled: comes back as after a hold',
  'a level unkilled: comes back as after a hold',
  'held by the venue: refuses',
  'held by the venue: what lowers risk waits too',
  'held by the venue: even what people forced closed',
  'forced open: refuses',
  'forced open at two levels: the longer speaks',
  'forced closed: lets pass what it would refuse',
  'observe: lets pass what it would refuse',
  'observe: a hold holds nothing',
  'observe: what lowers risk is not held either',
  'observe: people are obeyed',
  'what lowers risk passes a kill',
  'what lowers risk passes a forced open',
  'what lowers risk passes an open breaker',
  'a force that has ended holds nothing',
  'the strictest level speaks',
  'acts: a fenced end gives its place back',
  'acts: a fenced end is not counted',
  'looks: no kill holds them',
  'looks: no forced open of acts holds them',
  'looks: no breaker of acts holds them',
  'looks: held by the venue',
  'looks: forced open',
  'looks: their own breaker refuses',
  'looks: one that came to nothing gives its place back',
  'looks: one that came to nothing is not counted',
] as const;
export type LevelRow = (typeof LEVEL_ROWS)[number];

export type LevelVerdict =
  | { verdict: 'pass'; wouldBlock: boolean }
  | { verdict: 'wait'; waitTicks: number; soonMs: number; place: number; level: string }
  | { verdict: 'probe'; untilMs: number; level: string };

interface Level {
  name: string;
  breaker: BreakerModel;
  orders: OrdersModel;
}

/** Levels that concern every act of a venue. */
const isWide = (name: string): boolean => name === 'venue' || name.startsWith('account:');

export class LevelsModel {
  /** Those of acts. */
  private readonly levels: Level[];
  /** Of look-ups. */
  private readonly lookUps: Level;
  /** Of everything. */
  readonly all: OrdersModel;

  constructor(
    private readonly settings: Record<string, BreakerModelSettings>,
    private readonly hit: (row: BreakerRow | LevelRow | OrderRow) => void,
  ) {
    this.all = new OrdersModel(hit);
    const every = Object.entries(settings).map(([name, each]) => {
      return { name, breaker: new BreakerModel(each, hit), orders: new OrdersModel(hit) };
    });
    this.levels = every.filter(({ name }) => name !== 'look-up');
    this.lookUps = every.find(({ name }) => name === 'look-up')!;
  }

  get every(): Level[] {
    return [...this.levels, this.lookUps];
  }

  get places(): number {
    return this.levels[0]!.breaker.settings.places;
  }

  get enforces(): boolean {
    return this.levels[0]!.breaker.settings.mode === 'enforce';
  }

  level(name: string): Level {
    return this.every.find((level) => level.name === name)!;
  }

  /** Rows of orders in the audit. */
  get audited(): number {
    return [this.all, ...this.every.map(({ orders }) => orders)].reduce((sum, { audit }) => sum + audit.length, 0);
  }

  /** Whether what is right to say of an act is another at the one moment than at the other, as far as seconds matter. */
  changesWithin(from: Moment, to: Moment): boolean {
    const ceil = (ms: number): number => Math.ceil(ms / 1_000);
    return this.every.some(({ breaker }) => {
      const { ramp, probeUntilMs } = breaker;
      if (breaker.mayComeBack(from.now) && ceil(from.ms) !== ceil(to.ms)) return true;
      if (probeUntilMs > from.ms && probeUntilMs <= to.ms) return true;
      return ramp !== undefined && (ramp.stage(from.ms) !== ramp.stage(to.ms) || secondOf(from.ms) !== secondOf(to.ms));
    });
  }

  /** Redis has lost what it held of the levels. */
  forget(): void {
    this.all.forget();
    for (const level of this.every) {
      level.orders.forget();
      level.breaker = new BreakerModel(this.settings[level.name]!, this.hit);
    }
  }

  /** Redis is told of an order. */
  tell(at: Moment, lastGo: number, name: string, order: Order): 'news' | 'same' | 'stale' {
    const isAll = name === 'all';
    const { orders: own, breaker } = this.level(isAll ? 'venue' : name);
    const orders = isAll ? this.all : own;
    const [was, wasKilled] = [orders.forced(at.now), orders.killed];
    const told = orders.tell(order);
    if (told !== 'news') return told;
    if (wasKilled && !order.kill) {
      this.hit(isAll ? 'all unkilled: comes back as after a hold' : 'a level unkilled: comes back as after a hold');
      breaker.unkill(at.now);
    }
    if (isAll) return told;
    if (orders.forced(at.now) === 'open') breaker.forceOpen(at, lastGo, order.until, was === 'open');
    else if (was === 'open') breaker.lift(at.now);
    return told;
  }

  judge(at: Moment, go: number, act: { bucket: number; held: boolean; canProbe: boolean }): LevelVerdict {
    const { now } = at;
    const { held } = act;
    const killed = this.all.killed ? 'all' : this.levels.find(({ orders }) => orders.killed)?.name;
    if (killed !== undefined && held) {
      this.hit(killed === 'all' ? 'all killed: refuses' : 'a level killed: refuses');
      if (!this.enforces) this.hit('observe: people are obeyed');
      const speaker = killed === 'all' ? this.levels[0]! : this.level(killed);
      const { known } = killed === 'all' ? this.all : speaker.orders;
      if (known && known.force !== '' && known.until <= now)
        this.hit('a kill outlives a force that was ordered with it');
      return { verdict: 'wait', waitTicks: 0, soonMs: 5_000, place: speaker.breaker.place(), level: killed };
    }
    if (killed !== undefined) this.hit('what lowers risk passes a kill');
    const holding = this.levels
      .filter(({ name, breaker }) => breaker.holdUntil > now && (held || isWide(name)))
      .sort((a, b) => b.breaker.holdUntil - a.breaker.holdUntil)[0];
    if (holding && this.enforces) {
      this.hit(held ? 'held by the venue: refuses' : 'held by the venue: what lowers risk waits too');
      if (holding.orders.forced(now) === 'closed') this.hit('held by the venue: even what people forced closed');
      return this.wait(holding, holding.breaker.holdUntil - now, 0);
    }
    const forced = this.levels.filter(({ orders }) => orders.forced(now) === 'open');
    if (!held) {
      if (this.levels.some(({ breaker }) => breaker.state === 'OPEN'))
        this.hit('what lowers risk passes an open breaker');
      if (forced.length > 0) this.hit('what lowers risk passes a forced open');
      if (holding) this.hit('observe: what lowers risk is not held either');
      return { verdict: 'pass', wouldBlock: holding !== undefined };
    }
    if (this.levels.some(({ orders: { known } }) => known && known.force !== '' && known.until <= now))
      this.hit('a force that has ended holds nothing');
    if (forced.length > 0) {
      this.hit('forced open: refuses');
      if (forced.length > 1) this.hit('forced open at two levels: the longer speaks');
      if (!this.enforces) this.hit('observe: people are obeyed');
      const longest = forced.reduce((best, each) =>
        each.orders.known!.until > best.orders.known!.until ? each : best,
      );
      return this.wait(longest, longest.orders.known!.until - now, 0);
    }
    if (holding) this.hit('observe: a hold holds nothing');
    return this.automatic(at, go, { ...act, levels: this.levels }, holding !== undefined);
  }

  /** May a look with this number go to the venue? */
  judgeLook(at: Moment, look: number, bucket: number): LevelVerdict {
    const { now } = at;
    if (this.all.killed || this.levels.some(({ orders }) => orders.killed)) this.hit('looks: no kill holds them');
    if (this.levels.some(({ orders }) => orders.forced(now) === 'open'))
      this.hit('looks: no forced open of acts holds them');
    if (this.levels.some(({ breaker }) => breaker.state === 'OPEN')) this.hit('looks: no breaker of acts holds them');
    const holding = [this.level('venue'), this.lookUps]
      .filter(({ breaker }) => breaker.holdUntil > now)
      .sort((a, b) => b.breaker.holdUntil - a.breaker.holdUntil)[0];
    if (holding && this.enforces) {
      this.hit('looks: held by the venue');
      if (holding.name === 'venue') this.hold(at, { level: 'look-up', ticks: holding.breaker.holdUntil - now });
      return this.wait(holding, holding.breaker.holdUntil - now, 0);
    }
    const { orders } = this.lookUps;
    if (orders.forced(now) === 'open') {
      this.hit('looks: forced open');
      return this.wait(this.lookUps, orders.known!.until - now, 0);
    }
    const ownLevel = { bucket, canProbe: false, levels: [this.lookUps] };
    const said = this.automatic(at, look, ownLevel, holding !== undefined);
    if (said.verdict === 'wait') this.hit('looks: their own breaker refuses');
    return said;
  }

  private automatic(
    at: Moment,
    go: number,
    act: { bucket: number; canProbe: boolean; levels: readonly Level[] },
    isHeldInObserve: boolean,
  ): LevelVerdict {
    const { now } = at;
    let wouldBlock = isHeldInObserve;
    let probe: Level | undefined;
    const waiting: { level: Level; until: number; soonMs: number }[] = [];
    const takers: Level[] = [];
    for (const level of act.levels) {
      const closed = level.orders.forced(now) === 'closed';
      const watched = closed || !this.enforces;
      const said = level.breaker.judge(at, go, act.bucket, act.canProbe && !watched);
      if (said.verdict === 'take') takers.push(level);
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
      if (waiting.length > 1 || takers.length > 0) this.hit('the strictest level speaks');
      return this.wait(strictest.level, strictest.until - now, strictest.soonMs);
    }
    if (probe) {
      probe.breaker.startProbe(at);
      return { verdict: 'probe', untilMs: probe.breaker.probeUntilMs, level: probe.name };
    }
    for (const { breaker } of takers) breaker.take(at, go);
    return { verdict: 'pass', wouldBlock };
  }

  private wait({ name, breaker }: Level, waitTicks: number, soonMs: number): LevelVerdict {
    return { verdict: 'wait', waitTicks, soonMs, place: breaker.place(), level: name };
  }

  /** What a look showed of the venue's health: nothing that its acts are judged by. `moved`: its record has moved on. */
  recordLook(
    at: Moment,
    { look, lastLook, moved }: { look: number; lastLook: number; moved: boolean },
    told: Told & { hold?: { level: string; ticks: number } | undefined },
  ): boolean {
    const { breaker } = this.lookUps;
    if (moved)
      this.hit(
        breaker.state === 'HALF_OPEN'
          ? 'looks: one that came to nothing gives its place back'
          : 'looks: one that came to nothing is not counted',
      );
    const heard = !moved || breaker.state === 'HALF_OPEN';
    const lone = heard && breaker.record(at, look, lastLook, told);
    if (told.hold) this.hold(at, told.hold);
    return lone;
  }

  private hold({ now }: Moment, { level, ticks }: { level: string; ticks: number }): void {
    const { breaker } = this.level(level);
    breaker.holdUntil = Math.max(breaker.holdUntil, now + ticks);
  }

  /** What became of an act, at every level; answers whether its worker is alone in failing. */
  record(
    at: Moment,
    { go, lastGo, moved }: { go: number; lastGo: number; moved: boolean },
    told: Told & { hold?: { level: string; ticks: number } | undefined },
  ): boolean {
    let lone = false;
    for (const { breaker } of this.levels) {
      const isProbing = breaker.state === 'HALF_OPEN';
      if (moved) this.hit(isProbing ? 'acts: a fenced end gives its place back' : 'acts: a fenced end is not counted');
      lone = ((!moved || isProbing) && breaker.record(at, go, lastGo, told)) || lone;
    }
    if (told.hold) this.hold(at, told.hold);
    return lone;
  }
}
