import { compareDecimals } from '../src/domain/decimal';
import { executedBy } from '../src/domain/fills';
import type { OrderState } from '../src/domain/order';
import type { VenuePort } from '../src/venues/port';

/** About 150 bytes each: ten of them and the order fit a record. */
const MOST_FILLS_KEPT = 10;

/** An order with many fills, as its record keeps it: they are counted, and read from the venue again by whoever asks. */
type ShortOrder = Omit<OrderState, 'fills'> & { fillCount: number };

/** What the record of an order keeps: all of it, or the order without its fills where they would make it large. */
export function keptOrder(order: OrderState): OrderState | ShortOrder {
  const { fills, ...rest } = order;
  if (fills.length <= MOST_FILLS_KEPT) return order;
  return { ...rest, fillCount: fills.length };
}

/**
 * The order as it was when it was kept: its status and amounts from the record, its fills from the venue. Those that came since
 * are left out, so that every caller gets the same answer. Rejects when the venue does not tell all of them now.
 */
export async function wholeOrder(venue: () => VenuePort, symbol: string, kept: object): Promise<OrderState> {
  if (!isShort(kept)) return kept as OrderState;
  const { fillCount, ...order } = kept;
  const found = await venue().findOrder(symbol, { orderId: order.orderId });
  const fills = (found?.fills ?? []).slice(0, fillCount);
  const executed = executedBy(fills);
  if (compareDecimals(executed, order.executedQuantity) !== 0) {
    const seen = found ? `fills of ${executed} in all` : 'no such order';
    throw new Error(
      `its ${fillCount} fills of ${order.executedQuantity} in all cannot be read: the venue shows ${seen}`,
    );
  }
  return { ...order, fills };
}

function isShort(kept: object): kept is ShortOrder {
  return 'fillCount' in kept;
}
