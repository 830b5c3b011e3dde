import type { DecimalString } from '../../domain/decimal';
import { addDecimals, divideDecimals, multiplyDecimals, subtractDecimals } from '../../domain/decimal';
import { floorToStep } from './amounts';
import { Balances } from './balances';
import { Book } from './book';
import type { VenueClock } from './clock';
import type { PaperVenueConfig, SymbolConfig } from './config';
import { checkFilters, checkLot } from './filters';
import { crosses, makeTrade, partOf, takerSlices, triggers } from './matching';
import { isOpen, type NewOrder, type PaperOrder, type PaperTrade, type VenueEvent } from './orders';
import { createRandom, type Random } from './random';
import { PriceWalk } from './walk';
import { filterFailure, insufficientBalance, invalidSymbol, orderRejected, unknownOrderSent } from './wire-error';

interface Market {
  symbol: SymbolConfig;
  walk: PriceWalk;
  random: Random;
  ticks: number;
}

interface EngineOptions {
  config: PaperVenueConfig;
  clock: Pick<VenueClock, 'now'>;
  /** Events of an earlier life, applied before the first order. */
  history?: Iterable<VenueEvent>;
  /** Keeps an event; runs before the state changes and hence before any answer leaves. */
  record?: (event: VenueEvent) => void;
}

/** The matching engine: takes, fills, cancels. What it decides becomes an event, which is recorded, then applied. */
export class Engine {
  readonly balances: Balances;
  readonly book: Book;
  private readonly markets = new Map<string, Market>();
  private readonly ids: Random;
  private readonly config: PaperVenueConfig;
  private readonly clock: Pick<VenueClock, 'now'>;
  private readonly record: (event: VenueEvent) => void;

  constructor({ config, clock, history = [], record = () => undefined }: EngineOptions) {
    this.config = config;
    this.clock = clock;
    this.record = record;
    this.balances = new Balances(config.accounts);
    this.book = new Book(new Map(config.symbols.map((symbol) => [symbol.symbol, symbol])), this.balances);
    const limits: PaperOrder[] = [];
    let events = 0;
    for (const event of history) {
      this.book.apply(event);
      events += 1;
      if (event.event === 'order' && event.order.type === 'LIMIT') limits.push(event.order);
    }
    // A restarted venue draws on from another point of the seed, so that it does not live the same morning twice.
    this.ids = createRandom(config.seed, `ids:${events}`);
    for (const symbol of config.symbols) {
      const walk = new PriceWalk(symbol, config.walk, config.seed, String(events));
      const random = createRandom(config.seed, `match:${symbol.symbol}:${events}`);
      this.markets.set(symbol.symbol, { symbol, walk, random, ticks: 0 });
    }
    for (const order of limits) this.market(order.symbol).walk.follow(order.price);
  }

  knows(symbol: string): boolean {
    return this.markets.has(symbol);
  }

  price(symbol: string): DecimalString {
    return this.market(symbol).walk.price();
  }

  /** Takes an order or throws a `WireError` that says why not. */
  place(account: string, request: NewOrder): PaperOrder {
    const market = this.market(request.symbol);
    const { symbol, walk } = market;
    if (symbol.status !== 'TRADING') throw orderRejected('Market is closed.');
    checkFilters(request, symbol.filters, walk.price());
    if (request.clientOrderId !== undefined) this.refuseDuplicate(account, request.symbol, request.clientOrderId);
    const limit = symbol.filters.max_num_orders;
    if (limit && this.openOrders(account, request.symbol).length >= limit) throw filterFailure('MAX_NUM_ORDERS');
    if (request.type === 'LIMIT') walk.follow(request.price);

    const time = this.clock.now();
    const order = this.draft(account, request, market, time);
    const trades = order.working ? this.takeAtOnce(order, market, time) : [];
    this.checkFunds(order, trades, symbol);
    const executed = trades.reduce((sum, trade) => addDecimals(sum, trade.quantity), '0');
    const expires = order.timeInForce !== 'GTC' && executed !== order.quantity;
    this.commit({ event: 'order', order, trades, ...(expires && { ends: 'EXPIRED' as const }) });
    return order;
  }

  /** Cancels an open order. Throws -2011 for one that is not open. */
  cancel(order: PaperOrder): void {
    if (!isOpen(order)) throw unknownOrderSent();
    this.commit({ event: 'end', orderId: order.orderId, status: 'CANCELED', time: this.clock.now() });
  }

  openOrders(account: string, symbol?: string): PaperOrder[] {
    const symbols = symbol === undefined ? [...this.markets.keys()] : [symbol];
    const open = symbols.flatMap((name) => this.book.openOrders(name));
    return open.filter((order) => order.account === account);
  }

  /** One step of every market: prices move, stop orders trigger, resting orders fill. */
  tick(): void {
    for (const market of this.markets.values()) {
      market.ticks += 1;
      const open = this.book.openOrders(market.symbol.symbol);
      this.revisit(market, open);
      market.walk.step();
      const price = market.walk.price();
      // Thousands may rest at a few prices: each price is compared once.
      const crossing = new Map<string, boolean>();
      for (const order of open) {
        const key = `${order.side}${order.price}`;
        let crossed = crossing.get(key);
        if (crossed === undefined) crossing.set(key, (crossed = crosses(order, price)));
        if (crossed || !order.working) this.visit(order, market, crossed);
      }
    }
  }

  private market(symbol: string): Market {
    const market = this.markets.get(symbol);
    if (!market) throw invalidSymbol();
    return market;
  }

  private refuseDuplicate(account: string, symbol: string, clientOrderId: string): void {
    const latest = this.book.withClientId(account, symbol, clientOrderId).at(-1);
    if (latest && isOpen(latest)) throw orderRejected('Duplicate order sent.');
  }

  private draft(account: string, request: NewOrder, market: Market, time: number): PaperOrder {
    const price = market.walk.price();
    const filters = market.symbol.filters;
    const stops = request.stopPrice !== '0';
    if (stops && triggers(request, price)) throw orderRejected('Order would trigger immediately.');
    if (request.type === 'LIMIT_MAKER' && crosses(request, price)) {
      throw orderRejected('Order would immediately match and take.');
    }
    let quantity = request.quantity;
    if (request.quoteQuantity !== '0') {
      quantity = floorToStep(divideDecimals(request.quoteQuantity, price), filters.lot.step);
      checkLot(quantity, filters.lot);
    }
    return {
      ...request,
      clientOrderId: request.clientOrderId ?? this.newClientOrderId(),
      orderId: this.book.lastOrderId + 1,
      account,
      quantity,
      status: 'NEW',
      executed: '0',
      quoteExecuted: '0',
      reserved: reserveFor(request),
      working: !stops,
      workingTime: stops ? -1 : time,
      time,
      updateTime: time,
    };
  }

  private takeAtOnce(order: PaperOrder, market: Market, time: number): PaperTrade[] {
    const price = market.walk.price();
    if (order.type === 'LIMIT_MAKER' || !crosses(order, price)) return [];
    const whole = order.type !== 'LIMIT' || order.timeInForce === 'FOK';
    return this.takerTrades(order, this.share(order.quantity, market, whole), market, time);
  }

  private takerTrades(order: PaperOrder, quantity: DecimalString, market: Market, time: number): PaperTrade[] {
    const slices = takerSlices(order, quantity, market.walk.price(), market.random, market.symbol.filters);
    return slices.map((slice, index) => this.trade(order, slice, market, { index, time, isMaker: false }));
  }

  private trade(
    order: PaperOrder,
    slice: { price: DecimalString; quantity: DecimalString },
    market: Market,
    { index = 0, time, isMaker }: { index?: number; time: number; isMaker: boolean },
  ): PaperTrade {
    const at = { tradeId: this.book.lastTradeId + 1 + index, time, isMaker };
    return makeTrade(order, slice, at, { symbol: market.symbol, commissionRate: this.config.commission });
  }

  private share(quantity: DecimalString, market: Market, whole: boolean): DecimalString {
    const partial = !whole && market.random.fraction() < this.config.walk.partial_probability;
    return partial ? partOf(quantity, market.random, market.symbol.filters.lot) : quantity;
  }

  private checkFunds(order: PaperOrder, trades: PaperTrade[], symbol: SymbolConfig): void {
    const spends = order.side === 'BUY' ? symbol.quote_asset : symbol.base_asset;
    const atMarket = trades.reduce(
      (sum, trade) => addDecimals(sum, order.side === 'BUY' ? trade.quoteQuantity : trade.quantity),
      '0',
    );
    const needed = order.reserved === '0' ? atMarket : order.reserved;
    if (!this.balances.hasFree(order.account, spends, needed)) throw insufficientBalance();
  }

  /** Lets the market call on a waiting order now and then, so that none waits for ever because newer ones moved the price. */
  private revisit(market: Market, open: PaperOrder[]): void {
    if (open.length === 0 || market.ticks % this.config.walk.revisit_ticks !== 0) return;
    const wanted = open.map((order) => (order.working && order.price !== '0' ? order.price : order.stopPrice));
    const near = [...new Set(wanted)].filter((price) => market.walk.isNear(price));
    const price = near[market.random.integer(0, near.length - 1)];
    if (price !== undefined) market.walk.follow(price);
  }

  private visit(order: PaperOrder, market: Market, crossed: boolean): void {
    const time = this.clock.now();
    if (!order.working) {
      if (!triggers(order, market.walk.price())) return;
      this.commit({ event: 'trigger', orderId: order.orderId, time });
    }
    if (!crossed) return;
    const remaining = subtractDecimals(order.quantity, order.executed);
    if (order.price === '0') return this.fillAtMarket(order, remaining, market, time);
    const quantity = this.share(remaining, market, false);
    const trade = this.trade(order, { price: order.price, quantity }, market, { time, isMaker: true });
    this.commit({ event: 'fill', trade });
  }

  private fillAtMarket(order: PaperOrder, quantity: DecimalString, market: Market, time: number): void {
    const trades = this.takerTrades(order, quantity, market, time);
    try {
      this.checkFunds(order, trades, market.symbol);
    } catch {
      return this.commit({ event: 'end', orderId: order.orderId, status: 'EXPIRED', time });
    }
    for (const trade of trades) this.commit({ event: 'fill', trade });
  }

  newClientOrderId(): string {
    const characters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    return Array.from({ length: 22 }, () => characters.charAt(this.ids.integer(0, characters.length - 1))).join('');
  }

  private commit(event: VenueEvent): void {
    this.record(event);
    this.book.apply(event);
  }
}

/** What the account must lock: nothing for an order that takes at once. */
function reserveFor(order: NewOrder): DecimalString {
  if (order.type === 'MARKET') return '0';
  if (order.side === 'SELL') return order.quantity;
  return multiplyDecimals(order.price === '0' ? order.stopPrice : order.price, order.quantity);
}
