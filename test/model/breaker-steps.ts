import { NO_OVERRIDE } from '../../src/breaker/override';
import { breakerSettingsOf, same, TICK_MS } from './compare';
import { levelsFor } from './judged';
import type { Op, OrderLevel } from './ops';
import type { Order, OrdersModel } from './orders-model';
import { pick, VENUE, type Run } from './run';

/** What happens to the breakers beside the acts that they judge: each step on both sides. */
export class BreakerSteps {
  private exempted = 0;

  constructor(private readonly run: Run) {}

  async exempt(): Promise<void> {
    this.exempted += 1;
    const ref = { venue: VENUE, jobType: 'order.cancel', intentId: `c:${this.exempted}` };
    const owner = { activity: 'canceller', attempt: 1, nonce: 'n' };
    const { guard, seen } = this.run.worker(0);
    this.run.readStore(seen);
    // Looked up first, as all acts are then.
    if (this.run.store.suspected(this.run.now)) return;
    const request = { owner, fingerprint: '1:aa', leaseMs: TICK_MS, quiesceMs: 0, knownUnsent: false, mostSends: 9 };
    const { breaker } = this.run.options;
    const act = { bucket: 0, held: false, canProbe: false };
    const expected = this.run.breaker?.judge(await this.run.look(), this.run.going, act);
    const answer = await guard.admit(ref, {
      ...request,
      breaker: breaker && { levels: levelsFor('order.cancel', breaker), ...act },
    });
    if (expected?.verdict === 'wait') return same(answer.kind, 'OPEN');
    if (answer.kind !== 'GO') throw new Error(`an act that no breaker may hold was answered ${answer.kind}`);
    same(answer.wouldBlock, expected?.verdict === 'pass' && expected.wouldBlock);
    this.run.store.go();
    this.run.store.learn(seen);
    const end = { ending: 'done', payload: '{}', elapsedMs: 0, health: 'none', quiesceMs: 0 } as const;
    await guard.settle(ref, { fence: answer.fence, ...end });
  }

  /** The control workflow keeps an order, and tells Redis of it where it can. */
  async order({ level, kill, force, ticks, isTold }: Op & { op: 'order' }): Promise<void> {
    const orders = this.ordersOf(level);
    if (!orders) return;
    // Never alike, so that it is clear which of two ends later.
    const until = this.run.now + ticks + (level === 'order.place' ? 0.1 : 0);
    const order = orders.give({ kill, force, until: force === '' ? 0 : until });
    if (isTold) await this.tell(level, order, 0);
  }

  async retell({ level, back, worker }: Op & { op: 'retell' }): Promise<void> {
    const order = pick(this.ordersOf(level)?.given ?? [], back);
    if (order) await this.tell(level, order, worker);
  }

  private ordersOf(level: OrderLevel): OrdersModel | undefined {
    const { breaker } = this.run;
    return level === 'all' ? breaker?.all : breaker?.level(level).orders;
  }

  private async tell(level: OrderLevel, order: Order, worker: number): Promise<void> {
    const { breaker, redis } = this.run;
    const going = level === 'look-up' ? this.run.looking : this.run.going;
    const orders = this.ordersOf(level);
    if (!breaker || !orders) return;
    const audit = this.run.keys.audit(VENUE);
    const rows = orders.rowsOf(order).map((number) => ({ number, text: `${level} ${number}` }));
    const before = { rows: await redis.xlen(audit), audited: breaker.audited };
    const at = await this.run.look();
    const { number, kill, force, until } = order;
    const answer = await this.run.worker(worker).guard.breakers.order(VENUE, level, {
      ...{ ...NO_OVERRIDE, number, kill, force, rows },
      forMs: (until - at.now) * TICK_MS,
    });
    const told = breaker.tell(at, going, level, order);
    same(answer.kind, told === 'stale' ? 'STALE' : 'OK');
    if (answer.kind === 'STALE') same(answer.number, orders.known?.number);
    same((await redis.xlen(audit)) - before.rows, breaker.audited - before.audited);
  }

  async emptied(): Promise<void> {
    await this.run.world.dropLevels();
    this.run.breaker?.forget();
    this.run.probes.length = 0;
  }

  async probed({ probe, health, worker }: Op & { op: 'probed' }): Promise<void> {
    const { breaker } = this.run.options;
    const asked = pick(this.run.probes, probe);
    if (!asked || !breaker) return;
    const { level, endMs, untilMs } = asked;
    const token = String(this.run.world.own(endMs));
    const settings = breakerSettingsOf(breaker[level as keyof typeof breaker]);
    const at = await this.run.look();
    const { breakers } = this.run.worker(0).guard;
    const answer = await breakers.probed(VENUE, { level, token }, { health, worker }, settings);
    const told = { outcome: health, worker, slow: false };
    same(answer.lone, this.run.breaker!.level(level).breaker.probed(at, this.run.going, untilMs, told));
  }
}
