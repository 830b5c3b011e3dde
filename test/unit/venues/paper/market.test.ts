import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { addDecimals, multiplyDecimals, subtractDecimals } from '../../../../src/domain/decimal';
import { loadPaperConfig } from '../../../../src/venues/paper/config';
import { Engine } from '../../../../src/venues/paper/engine';
import { isOpen, type NewOrder, type PaperOrder } from '../../../../src/venues/paper/orders';
import { ManualClock, stillConfig } from './paper-client';

const orders = parse(readFileSync(join(__dirname, '../../../../examples/data/strategy-orders-2018-01.csv')), {
  columns: true,
}) as Record<string, string>[];

const limitOrder = (fields: Partial<NewOrder>): NewOrder => ({
  symbol: 'XRPETH',
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '23',
  quoteQuantity: '0',
  price: '0.00141',
  stopPrice: '0',
  clientOrderId: undefined,
  ...fields,
});

/** The example's trading day, as the engine of the demo's settings takes it. */
function tradeExampleDay({ ticks = 80, seed = loadPaperConfig().seed } = {}): Engine {
  const clock = new ManualClock();
  const engine = new Engine({ config: { ...loadPaperConfig(), seed }, clock });
  for (const row of orders) {
    const { symbol = '', quantity = '', price = '', intentId } = row;
    const side = row.side === 'BUY' ? 'BUY' : 'SELL';
    engine.place('main', limitOrder({ symbol, side, quantity, price, clientOrderId: intentId }));
  }
  for (let tick = 0; tick < ticks; tick += 1) {
    clock.advance(250);
    engine.tick();
  }
  return engine;
}

const outcome = (engine: Engine): string[] =>
  engine.book.orders.map(({ orderId, status, quoteExecuted }) => `${orderId} ${status} ${quoteExecuted}`);

describe('the example day on the default settings', () => {
  it('is taken whole: some orders fill at once, nearly all within 20 seconds, some in parts', () => {
    const atOnce = tradeExampleDay({ ticks: 0 }).book.orders.filter(({ status }) => status === 'FILLED').length;
    expect(orders).toHaveLength(358);
    expect(atOnce).toBeGreaterThan(70);
    expect(atOnce).toBeLessThan(290);
    const { book } = tradeExampleDay();
    expect(book.orders.filter(({ status }) => status === 'FILLED').length).toBeGreaterThan(340);
    const parts = book.orders.map((order) => new Set(book.tradesOf(order.orderId).map(({ time }) => time)).size);
    expect(parts.filter((times) => times > 1).length).toBeGreaterThan(10);
  });

  it('is the same day for the same seed and another one for another seed', () => {
    const day = outcome(tradeExampleDay());
    expect(outcome(tradeExampleDay())).toEqual(day);
    expect(outcome(tradeExampleDay({ seed: 1 }))).not.toEqual(day);
  });

  it('creates and loses nothing: balances change by the trades and lock what open orders need', () => {
    const engine = tradeExampleDay({ ticks: 3 });
    const expected = new Map(Object.entries(loadPaperConfig().accounts.main ?? {}));
    const locked = new Map<string, string>();
    const add = (sums: Map<string, string>, asset: string, amount: string): void =>
      void sums.set(asset, addDecimals(sums.get(asset) ?? '0', amount));
    for (const order of engine.book.orders) {
      const [base, quote] = [order.symbol.slice(0, -3), 'BTC'];
      for (const trade of engine.book.tradesOf(order.orderId)) {
        const value = multiplyDecimals(trade.price, trade.quantity);
        const sign = order.side === 'BUY' ? '1' : '-1';
        add(expected, base, multiplyDecimals(sign, trade.quantity));
        add(expected, quote, multiplyDecimals(sign === '1' ? '-1' : '1', value));
        add(expected, trade.commissionAsset, multiplyDecimals('-1', trade.commission));
      }
      if (isOpen(order)) {
        const open = subtractDecimals(order.quantity, order.executed);
        add(
          locked,
          ...(order.side === 'BUY' ? ([quote, multiplyDecimals(open, order.price)] as const) : ([base, open] as const)),
        );
      }
    }
    for (const [asset, { free, locked: held }] of engine.balances.list('main')) {
      expect([asset, addDecimals(free, held)]).toEqual([asset, addDecimals(expected.get(asset) ?? '0', '0')]);
      expect([asset, held]).toEqual([asset, locked.get(asset) ?? '0']);
    }
  });

  it('gives each trade an id of its own', () => {
    const { book } = tradeExampleDay();
    const ids = book.orders.flatMap(({ orderId }) => book.tradesOf(orderId).map(({ tradeId }) => tradeId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('fills a resting order at its own price and a taking one at no worse than that', () => {
    const { book } = tradeExampleDay();
    const worse = (order: PaperOrder, price: string): boolean =>
      order.side === 'BUY' ? Number(price) > Number(order.price) : Number(price) < Number(order.price);
    for (const order of book.orders) {
      for (const trade of book.tradesOf(order.orderId)) {
        if (trade.isMaker) expect(trade.price).toBe(order.price);
        else expect(worse(order, trade.price)).toBe(false);
      }
    }
  });
});

describe('an order far from the market', () => {
  it('rests, and does not drag the market along', () => {
    const engine = new Engine({ config: loadPaperConfig(), clock: new ManualClock() });
    engine.place('main', limitOrder({}));
    const far = engine.place('main', limitOrder({ price: '0.0004' }));
    for (let tick = 0; tick < 400; tick += 1) engine.tick();
    expect(far.status).toBe('NEW');
    expect(Number(engine.price('XRPETH'))).toBeGreaterThan(0.001);
  });
});

describe('stop orders', () => {
  it('wait for their price, then trade as market or as limit orders', () => {
    const engine = new Engine({ config: loadPaperConfig(), clock: new ManualClock() });
    engine.place('main', limitOrder({}));
    const market = Number(engine.price('XRPETH'));
    const stops = (['STOP_LOSS', 'STOP_LOSS_LIMIT'] as const).map((type) =>
      engine.place(
        'main',
        limitOrder({
          type,
          side: 'SELL',
          price: type === 'STOP_LOSS' ? '0' : (market * 0.95).toFixed(6),
          stopPrice: (market * 0.98).toFixed(6),
        }),
      ),
    );
    expect(stops.map(({ working, executed }) => [working, executed])).toEqual([
      [false, '0'],
      [false, '0'],
    ]);
    for (let tick = 0; tick < 400; tick += 1) engine.tick();
    expect(stops.map(({ working, status }) => [working, status])).toEqual([
      [true, 'FILLED'],
      [true, 'FILLED'],
    ]);
    const stopPrice = (Number(engine.price('XRPETH')) * 1.002).toFixed(6);
    const buying = engine.place('main', limitOrder({ type: 'STOP_LOSS', price: '0', stopPrice }));
    expect(buying.reserved).toBe(multiplyDecimals('23', stopPrice));
    for (let tick = 0; tick < 400; tick += 1) engine.tick();
    expect(buying.status).toBe('FILLED');
    const held = engine.balances.list('main').map(([, { locked }]) => locked);
    expect(new Set(held)).toEqual(new Set(['0']));
  });
});

describe('a symbol that is halted', () => {
  it('takes no order', () => {
    const config = stillConfig();
    const symbols = config.symbols.map((symbol) => ({ ...symbol, status: 'HALT' as const }));
    const engine = new Engine({ config: { ...config, symbols }, clock: new ManualClock() });
    expect(() => engine.place('main', limitOrder({}))).toThrow(
      expect.objectContaining({ code: -2010, message: 'Market is closed.' }),
    );
  });
});
