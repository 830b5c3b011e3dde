import type { VenueClock } from './clock';
import type { PaperVenueConfig } from './config';
import { tooManyOrders, tooMuchWeight } from './wire-error';

/** Counts per fixed window, the newest window only. */
class WindowCount {
  private window = -1;
  private count = 0;

  constructor(private readonly lengthMs: number) {}

  add(amount: number, nowMs: number): number {
    const window = Math.floor(nowMs / this.lengthMs);
    if (window !== this.window) {
      this.window = window;
      this.count = 0;
    }
    this.count += amount;
    return this.count;
  }

  endsInSeconds(nowMs: number): number {
    return Math.ceil((this.lengthMs - (nowMs % this.lengthMs)) / 1000);
  }
}

const ORDER_WINDOWS = [
  { header: '10S', words: '10 SECOND', ms: 10_000, limit: 'orders_per_10s' },
  { header: '1D', words: '1 DAY', ms: 86_400_000, limit: 'orders_per_day' },
] as const;

/** Request weight and order counts, as Binance meters them in its headers. Kept in memory: a restart starts at zero. */
export class Limits {
  private readonly weight = new WindowCount(60_000);
  private readonly orders = new Map<string, WindowCount>();

  constructor(
    private readonly limits: PaperVenueConfig['limits'],
    private readonly clock: Pick<VenueClock, 'now'>,
  ) {}

  /** Throws -1003 once the minute's weight is spent. */
  spendWeight(weight: number): Record<string, string> {
    const now = this.clock.now();
    const used = this.weight.add(weight, now);
    const limit = this.limits.weight_per_minute;
    if (used > limit) throw tooMuchWeight(limit, this.weight.endsInSeconds(now));
    return { 'X-MBX-USED-WEIGHT': String(used), 'X-MBX-USED-WEIGHT-1M': String(used) };
  }

  /** Throws -1015 where the account has no order left in a window. */
  checkOrders(account: string): void {
    const now = this.clock.now();
    for (const { header, words, ms, limit } of ORDER_WINDOWS) {
      const count = this.window(account, header, ms);
      if (count.add(0, now) >= this.limits[limit]) {
        throw tooManyOrders(this.limits[limit], words, count.endsInSeconds(now));
      }
    }
  }

  countOrder(account: string): Record<string, string> {
    const now = this.clock.now();
    const counts = ORDER_WINDOWS.map(({ header, ms }) => [
      `X-MBX-ORDER-COUNT-${header}`,
      String(this.window(account, header, ms).add(1, now)),
    ]);
    return Object.fromEntries(counts) as Record<string, string>;
  }

  describe(): Record<string, unknown>[] {
    const { weight_per_minute, orders_per_10s, orders_per_day } = this.limits;
    return [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weight_per_minute },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: orders_per_10s },
      { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: orders_per_day },
    ];
  }

  private window(account: string, header: string, ms: number): WindowCount {
    const key = `${account}|${header}`;
    let count = this.orders.get(key);
    if (!count) this.orders.set(key, (count = new WindowCount(ms)));
    return count;
  }
}
