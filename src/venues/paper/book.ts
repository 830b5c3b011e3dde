import type { DecimalString } from '../../domain/decimal';
import { addDecimals, compareDecimals, multiplyDecimals, subtractDecimals } from '../../domain/decimal';
import type { Balances } from './balances';
import type { SymbolConfig } from './config';
import type { PaperOrder, PaperTrade, VenueEvent } from './orders';
import { isOpen } from './orders';

/** Orders and trades of one account and symbol, oldest first. */
export interface History {
  orders: PaperOrder[];
  trades: PaperTrade[];
}

/** The venue's state: orders, trades and what they did to the balances. Changed by `apply` alone, also at a replay. */
export class Book {
  readonly orders: PaperOrder[] = [];
  lastOrderId = 0;
  lastTradeId = 0;
  private readonly byId = new Map<number, PaperOrder>();
  private readonly byClientId = new Map<string, PaperOrder[]>();
  private readonly open = new Map<string, Map<number, PaperOrder>>();
  private readonly histories = new Map<string, History>();
  private readonly tradesByOrder = new Map<number, PaperTrade[]>();

  constructor(
    private readonly symbols: ReadonlyMap<string, SymbolConfig>,
    private readonly balances: Balances,
  ) {}

  get(orderId: number): PaperOrder | undefined {
    return this.byId.get(orderId);
  }

  /** All orders that ever carried the id in this account and symbol, oldest first. */
  withClientId(account: string, symbol: string, clientOrderId: string): readonly PaperOrder[] {
    const named = this.byClientId.get(clientOrderId) ?? [];
    return named.filter((order) => order.account === account && order.symbol === symbol);
  }

  /** The same over all accounts and symbols. */
  everWithClientId(clientOrderId: string): readonly PaperOrder[] {
    return this.byClientId.get(clientOrderId) ?? [];
  }

  openOrders(symbol: string): PaperOrder[] {
    return [...(this.open.get(symbol)?.values() ?? [])];
  }

  history(account: string, symbol: string): History {
    return this.histories.get(`${account}|${symbol}`) ?? { orders: [], trades: [] };
  }

  tradesOf(orderId: number): readonly PaperTrade[] {
    return this.tradesByOrder.get(orderId) ?? [];
  }

  apply(event: VenueEvent): void {
    if (event.event === 'order') {
      this.add(event.order);
      for (const trade of event.trades) this.fill(trade);
      if (event.ends) this.end(event.order, event.ends, event.order.time);
      return;
    }
    if (event.event === 'fill') return this.fill(event.trade);
    const order = this.byId.get(event.orderId);
    if (!order) throw new Error(`the journal ends or triggers order ${event.orderId}, which it never took`);
    if (event.event === 'end') return this.end(order, event.status, event.time);
    order.working = true;
    order.workingTime = order.updateTime = event.time;
    // A stop order without limit becomes a market order: it pays from the free balance.
    if (order.price === '0') this.unlock(order, order.reserved);
  }

  private add(order: PaperOrder): void {
    this.orders.push(order);
    this.byId.set(order.orderId, order);
    this.lastOrderId = Math.max(this.lastOrderId, order.orderId);
    const same = this.byClientId.get(order.clientOrderId);
    if (same) same.push(order);
    else this.byClientId.set(order.clientOrderId, [order]);
    let open = this.open.get(order.symbol);
    if (!open) this.open.set(order.symbol, (open = new Map<number, PaperOrder>()));
    open.set(order.orderId, order);
    this.historyOf(order).orders.push(order);
    this.balances.lock(order.account, this.spentAsset(order), order.reserved);
  }

  private fill(trade: PaperTrade): void {
    const order = this.byId.get(trade.orderId);
    if (!order) throw new Error(`the journal fills order ${trade.orderId}, which it never took`);
    this.lastTradeId = Math.max(this.lastTradeId, trade.tradeId);
    const buys = order.side === 'BUY';
    if (order.reserved !== '0') {
      this.unlock(order, buys ? multiplyDecimals(order.price, trade.quantity) : trade.quantity);
    }
    this.balances.debit(order.account, this.spentAsset(order), buys ? trade.quoteQuantity : trade.quantity);
    const received = buys ? trade.quantity : trade.quoteQuantity;
    this.balances.credit(order.account, trade.commissionAsset, subtractDecimals(received, trade.commission));
    order.executed = addDecimals(order.executed, trade.quantity);
    order.quoteExecuted = addDecimals(order.quoteExecuted, trade.quoteQuantity);
    order.updateTime = trade.time;
    order.status = compareDecimals(order.executed, order.quantity) < 0 ? 'PARTIALLY_FILLED' : 'FILLED';
    this.historyOf(order).trades.push(trade);
    const trades = this.tradesByOrder.get(order.orderId);
    if (trades) trades.push(trade);
    else this.tradesByOrder.set(order.orderId, [trade]);
    if (!isOpen(order)) this.open.get(order.symbol)?.delete(order.orderId);
  }

  private end(order: PaperOrder, status: 'CANCELED' | 'EXPIRED', time: number): void {
    this.unlock(order, order.reserved);
    order.status = status;
    order.updateTime = time;
    this.open.get(order.symbol)?.delete(order.orderId);
  }

  private unlock(order: PaperOrder, amount: DecimalString): void {
    this.balances.release(order.account, this.spentAsset(order), amount);
    order.reserved = subtractDecimals(order.reserved, amount);
  }

  private spentAsset(order: PaperOrder): string {
    const symbol = this.symbols.get(order.symbol);
    if (!symbol) throw new Error(`the journal names ${order.symbol}, which the configuration lacks: add the symbol`);
    return order.side === 'BUY' ? symbol.quote_asset : symbol.base_asset;
  }

  private historyOf(order: PaperOrder): History {
    const key = `${order.account}|${order.symbol}`;
    let history = this.histories.get(key);
    if (!history) this.histories.set(key, (history = { orders: [], trades: [] }));
    return history;
  }
}
