import type { VenueClock } from './clock';
import type { PaperOrder } from './orders';

/** Which orders the read endpoints do not show yet. The matching engine, and hence a cancel, sees all of them. */
export class Visibility {
  private readonly hiddenUntil = new Map<number, number>();

  constructor(private readonly clock: Pick<VenueClock, 'now'>) {}

  hide(orderId: number, ms: number): void {
    this.hiddenUntil.set(orderId, this.clock.now() + ms);
  }

  /** Those of orders or trades that are shown. */
  shown<Item extends Pick<PaperOrder, 'orderId'>>(items: readonly Item[]): readonly Item[] {
    return this.hiddenUntil.size === 0 ? items : items.filter((item) => this.sees(item));
  }

  sees(order: Pick<PaperOrder, 'orderId'>): boolean {
    const until = this.hiddenUntil.get(order.orderId);
    if (until === undefined) return true;
    if (this.clock.now() < until) return false;
    this.hiddenUntil.delete(order.orderId);
    return true;
  }
}
