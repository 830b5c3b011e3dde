export const ORDER_ROWS = [
  'order: the next one',
  'order: the same again',
  'order: an older one',
  'order: those that were never told come along',
  'order: all are told anew after a loss',
] as const;
export type OrderRow = (typeof ORDER_ROWS)[number];

/** What people ordered of a level. */
export interface Order {
  number: number;
  kill: boolean;
  force: '' | 'open' | 'closed';
  until: number;
}

/** Rows of the audit that an order brings along: its own and those before it. */
const MOST_ROWS = 10;

/** What Redis knows of the orders of one level, as plain TypeScript. Their source is elsewhere and never forgets. */
export class OrdersModel {
  /** All orders that were ever given. */
  readonly given: Order[] = [];
  /** The last of them that Redis knows of. */
  known: Order | undefined;
  /** Numbers in the audit. */
  audit: number[] = [];
  private lost = false;

  constructor(private readonly hit: (row: OrderRow) => void) {}

  give(order: Omit<Order, 'number'>): Order {
    this.given.push({ ...order, number: this.given.length + 1 });
    return this.given.at(-1)!;
  }

  /** Numbers of the rows that go along with an order. */
  rowsOf({ number }: Order): number[] {
    return this.given.slice(Math.max(number - MOST_ROWS, 0), number).map((each) => each.number);
  }

  /** Redis is told of an order; answers whether that was news to it. */
  tell(order: Order): 'news' | 'same' | 'stale' {
    const known = this.known?.number ?? 0;
    if (order.number < known) {
      this.hit('order: an older one');
      return 'stale';
    }
    if (order.number === known) {
      this.hit('order: the same again');
      return 'same';
    }
    const rows = this.rowsOf(order).filter((number) => number > known);
    if (this.lost && order.number > 1) this.hit('order: all are told anew after a loss');
    else this.hit(rows.length > 1 ? 'order: those that were never told come along' : 'order: the next one');
    this.audit.push(...rows);
    this.known = order;
    this.lost = false;
    return 'news';
  }

  forget(): void {
    this.known = undefined;
    this.audit = [];
    this.lost = true;
  }

  get killed(): boolean {
    return this.known?.kill ?? false;
  }

  /** What is forced now. */
  forced(now: number): Order['force'] {
    return this.known && now < this.known.until ? this.known.force : '';
  }
}
