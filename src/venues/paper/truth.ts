import type { Book } from './book';
import type { FaultKind } from './fault-schema';
import type { RequestFacts } from './faults';
import type { PaperOrder } from './orders';

const KEPT_REQUESTS = 20_000;

/** One request as it reached the venue, and what the venue meant to answer. */
export interface RequestTruth {
  /** Counts from 1. */
  number: number;
  /** Epoch ms. */
  at: number;
  method: string;
  path: string;
  symbol?: string;
  clientOrderId?: string;
  /** HTTP status of the answer that left; none where the answer never leaves. */
  status?: number;
  /** The order that this request made the venue take. */
  orderId?: number;
  faults?: FaultKind[];
}

interface IdCounts {
  /** Requests to place an order under this id. */
  requests: number;
  lookups: number;
  cancels: number;
}

/** What really happened, kept aside of the API: no fault reaches it. Orders come from the journal, requests from this life. */
export class Truth {
  private requests: RequestTruth[] = [];
  private count = 0;
  private readonly ids = new Map<string, IdCounts>();

  constructor(private readonly book: Book) {}

  request(facts: RequestFacts, at: number, faults: FaultKind[]): RequestTruth {
    const { method, path, symbol, clientOrderId } = facts;
    this.count += 1;
    const entry: RequestTruth = { number: this.count, at, method, path };
    if (symbol !== undefined) entry.symbol = symbol;
    if (clientOrderId !== undefined) entry.clientOrderId = clientOrderId;
    if (faults.length > 0) entry.faults = faults;
    this.requests.push(entry);
    if (this.requests.length >= 2 * KEPT_REQUESTS) this.requests = this.requests.slice(-KEPT_REQUESTS);
    if (clientOrderId !== undefined && path === '/api/v3/order') this.countId(clientOrderId, method);
    return entry;
  }

  /** Everything, or the totals alone. */
  report({ totalsOnly = false }: { totalsOnly?: boolean } = {}): Record<string, unknown> {
    const taken = new Map<string, number>();
    for (const { clientOrderId } of this.book.orders) taken.set(clientOrderId, (taken.get(clientOrderId) ?? 0) + 1);
    const executions = this.book.orders.length;
    const totals = { requests: this.count, orders: taken.size, executions, duplicates: executions - taken.size };
    if (totalsOnly) return { totals };
    const byClientOrderId: Record<string, unknown> = {};
    for (const id of new Set([...taken.keys(), ...this.ids.keys()])) {
      byClientOrderId[id] = { taken: taken.get(id) ?? 0, ...this.countsOf(id) };
    }
    const requests = this.requests.slice(-KEPT_REQUESTS);
    return { totals, byClientOrderId, orders: this.book.orders.map((order) => this.order(order)), requests };
  }

  /** All that concerns one client order id, whatever account and symbol it was used in. */
  reportOn(clientOrderId: string): Record<string, unknown> {
    const orders = this.book.everWithClientId(clientOrderId);
    return {
      clientOrderId,
      taken: orders.length,
      duplicates: Math.max(0, orders.length - 1),
      ...this.countsOf(clientOrderId),
      orders: orders.map((order) => this.order(order)),
      log: this.requests.slice(-KEPT_REQUESTS).filter((request) => request.clientOrderId === clientOrderId),
    };
  }

  private order(order: PaperOrder): Record<string, unknown> {
    return { ...order, trades: this.book.tradesOf(order.orderId) };
  }

  private countsOf(id: string): IdCounts {
    return this.ids.get(id) ?? { requests: 0, lookups: 0, cancels: 0 };
  }

  private countId(id: string, method: string): void {
    const counts = this.countsOf(id);
    if (method === 'POST') counts.requests += 1;
    if (method === 'GET') counts.lookups += 1;
    if (method === 'DELETE') counts.cancels += 1;
    this.ids.set(id, counts);
  }
}
