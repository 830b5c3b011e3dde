import { startPaperVenue, type PaperVenue } from '../../../../src/venues/paper/server';
import { ManualClock, PaperClient, stillConfig } from './paper-client';

// The market is nailed to 0.00141: a BUY above it fills at once, one below it rests.
const ABOVE = '0.0015';
const BELOW = '0.0013';

let venue: PaperVenue;
let clock: ManualClock;
let client: PaperClient;

beforeEach(async () => {
  clock = new ManualClock();
  venue = await startPaperVenue({ config: stillConfig(), clock });
  client = new PaperClient(venue.url, clock);
});
afterEach(() => venue.close());

describe('placing an order', () => {
  it('answers FULL with fills that add up for a limit order that trades at once', async () => {
    const { status, json, headers } = await client.limit('BUY', ABOVE, { newClientOrderId: 'first' });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      symbol: 'XRPETH',
      orderListId: -1,
      clientOrderId: 'first',
      transactTime: clock.now(),
      price: '0.00150000',
      origQty: '23.00000000',
      executedQty: '23.00000000',
      status: 'FILLED',
      timeInForce: 'GTC',
      type: 'LIMIT',
      side: 'BUY',
      selfTradePreventionMode: 'NONE',
    });
    const fills = json.fills as { price: string; qty: string; commissionAsset: string; tradeId: number }[];
    expect(fills.reduce((sum, fill) => sum + Number(fill.qty), 0)).toBeCloseTo(23);
    for (const fill of fills) {
      expect(Number(fill.price)).toBeLessThanOrEqual(0.0015);
      expect(fill).toMatchObject({ commissionAsset: 'XRP', tradeId: expect.any(Number) });
    }
    expect(headers.get('x-mbx-order-count-10s')).toBe('1');
    expect(headers.get('x-mbx-used-weight-1m')).toBe('1');
  });

  it('answers only what ACK and RESULT ask for, and ACK by default for other types than LIMIT and MARKET', async () => {
    const ack = await client.limit('BUY', BELOW, { newOrderRespType: 'ACK' });
    expect(Object.keys(ack.json)).toEqual(['symbol', 'orderId', 'orderListId', 'clientOrderId', 'transactTime']);
    const result = await client.limit('BUY', ABOVE, { newOrderRespType: 'RESULT' });
    expect(result.json).toMatchObject({ status: 'FILLED' });
    expect(result.json).not.toHaveProperty('fills');
    const maker = { symbol: 'XRPETH', side: 'BUY', type: 'LIMIT_MAKER', quantity: '23', price: BELOW };
    expect((await client.place(maker)).json).not.toHaveProperty('status');
  });

  it('fills a market order whole, by quantity or by what it may spend', async () => {
    const byQuantity = await client.place({ symbol: 'XRPETH', side: 'SELL', type: 'MARKET', quantity: '23' });
    expect(byQuantity.json).toMatchObject({ status: 'FILLED', executedQty: '23.00000000', price: '0.00000000' });
    const bySpending = await client.place({ symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quoteOrderQty: '100' });
    expect(bySpending.json).toMatchObject({ status: 'FILLED', origQuoteOrderQty: '100.00000000' });
    const spent = Number(bySpending.json.cummulativeQuoteQty);
    expect(spent).toBeGreaterThan(99);
    expect(spent).toBeLessThanOrEqual(100.01);
  });

  it('expires what IOC and FOK orders cannot fill at once', async () => {
    const ioc = await client.limit('BUY', BELOW, { timeInForce: 'IOC' });
    expect(ioc.json).toMatchObject({ status: 'EXPIRED', executedQty: '0.00000000' });
    const fok = await client.limit('BUY', BELOW, { timeInForce: 'FOK' });
    expect(fok.json).toMatchObject({ status: 'EXPIRED', executedQty: '0.00000000' });
    expect((await client.limit('BUY', ABOVE, { timeInForce: 'FOK' })).json).toMatchObject({ status: 'FILLED' });
  });

  it('refuses a post-only order that would trade, and a stop that has been reached', async () => {
    const maker = { symbol: 'XRPETH', side: 'BUY', type: 'LIMIT_MAKER', quantity: '23', price: ABOVE };
    expect(await client.place(maker)).toMatchObject({
      status: 400,
      json: { code: -2010, msg: 'Order would immediately match and take.' },
    });
    const stop = { symbol: 'XRPETH', side: 'SELL', type: 'STOP_LOSS', quantity: '23', stopPrice: ABOVE };
    expect((await client.place(stop)).json).toEqual({ code: -2010, msg: 'Order would trigger immediately.' });
  });
});

describe('a client order id', () => {
  it('is refused while its order is open and accepted again once that one has filled', async () => {
    expect((await client.limit('BUY', BELOW, { newClientOrderId: 'same' })).status).toBe(200);
    expect(await client.limit('BUY', ABOVE, { newClientOrderId: 'same' })).toMatchObject({
      status: 400,
      json: { code: -2010, msg: 'Duplicate order sent.' },
    });
    expect((await client.cancel('same')).status).toBe(200);
    const filled = await client.limit('BUY', ABOVE, { newClientOrderId: 'same' });
    expect(filled.json).toMatchObject({ status: 'FILLED' });
    const again = await client.limit('BUY', ABOVE, { newClientOrderId: 'same' });
    expect(again.status).toBe(200);
    expect((await client.find('same')).json.orderId).toBe(again.json.orderId);
    expect(await client.truth('same')).toMatchObject({ taken: 3, duplicates: 2, requests: 4 });
  });

  it('names an order of one account only', async () => {
    await client.limit('BUY', BELOW, { newClientOrderId: 'mine' });
    const other = new PaperClient(venue.url, clock, { key: 'paper-key-2', secret: 'paper-secret-2' });
    expect((await other.find('mine')).json).toEqual({ code: -2013, msg: 'Order does not exist.' });
  });
});

describe('cancelling', () => {
  it('ends an open order and says so under the id of the cancel', async () => {
    await client.limit('BUY', BELOW, { newClientOrderId: 'open' });
    const cancelled = await client.signed('DELETE', '/api/v3/order', {
      symbol: 'XRPETH',
      origClientOrderId: 'open',
      newClientOrderId: 'the-cancel',
    });
    expect(cancelled.json).toMatchObject({
      origClientOrderId: 'open',
      clientOrderId: 'the-cancel',
      status: 'CANCELED',
      transactTime: clock.now(),
    });
    expect((await client.find('open')).json).toMatchObject({ status: 'CANCELED' });
  });

  it('knows no order that has filled, was cancelled or never was', async () => {
    await client.limit('BUY', ABOVE, { newClientOrderId: 'filled' });
    for (const id of ['filled', 'nobody']) {
      expect(await client.cancel(id)).toMatchObject({ status: 400, json: { code: -2011, msg: 'Unknown order sent.' } });
    }
  });
});

describe('balances', () => {
  it('are locked by an open order and free again when it is cancelled', async () => {
    const before = await client.balance('ETH');
    await client.limit('BUY', '0.001', { quantity: '1000', newClientOrderId: 'locker' });
    expect(await client.balance('ETH')).toEqual({ free: '9999.00000000', locked: '1.00000000' });
    await client.cancel('locker');
    expect(await client.balance('ETH')).toEqual(before);
  });

  it('move by exactly what was traded, less the commission', async () => {
    const { json } = await client.place({ symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '100' });
    const xrp = await client.balance('XRP');
    expect(xrp).toEqual({ free: '10000099.90000000', locked: '0.00000000' });
    const eth = await client.balance('ETH');
    expect(Number(eth.free)).toBeCloseTo(10_000 - Number(json.cummulativeQuoteQty), 9);
  });

  it('refuse what the account cannot pay for', async () => {
    for (const [side, quantity] of [
      ['BUY', '90000000'],
      ['SELL', '10000001'],
    ] as const) {
      expect(await client.limit(side, '0.0014', { quantity })).toMatchObject({
        status: 400,
        json: { code: -2010, msg: 'Account has insufficient balance for requested action.' },
      });
    }
  });
});

describe('lists', () => {
  it('show open orders, all orders and trades of a symbol, oldest first', async () => {
    await client.limit('BUY', BELOW, { newClientOrderId: 'rests' });
    clock.advance(1000);
    await client.limit('BUY', ABOVE, { newClientOrderId: 'fills' });
    const ids = (json: unknown): unknown[] => (json as { clientOrderId: string }[]).map((order) => order.clientOrderId);
    expect(ids((await client.signed('GET', '/api/v3/openOrders')).json)).toEqual(['rests']);
    expect(ids((await client.signed('GET', '/api/v3/openOrders', { symbol: 'BTCUSDT' })).json)).toEqual([]);
    expect(ids((await client.signed('GET', '/api/v3/allOrders', { symbol: 'XRPETH' })).json)).toEqual([
      'rests',
      'fills',
    ]);
    const since = { symbol: 'XRPETH', startTime: clock.now() };
    expect(ids((await client.signed('GET', '/api/v3/allOrders', since)).json)).toEqual(['fills']);
    const trades = await client.signed('GET', '/api/v3/myTrades', { symbol: 'XRPETH' });
    expect(trades.json).toContainEqual(
      expect.objectContaining({ symbol: 'XRPETH', orderId: 2, commissionAsset: 'XRP', isBuyer: true, isMaker: false }),
    );
  });

  it('come in pages that miss nothing', async () => {
    for (let order = 0; order < 7; order += 1) await client.limit('BUY', BELOW);
    const seen: number[] = [];
    for (let from = 1; from <= 7; from = (seen.at(-1) ?? 7) + 1) {
      const page = await client.signed('GET', '/api/v3/allOrders', { symbol: 'XRPETH', orderId: from, limit: 3 });
      seen.push(...(page.json as unknown as { orderId: number }[]).map(({ orderId }) => orderId));
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const newest = await client.signed('GET', '/api/v3/allOrders', { symbol: 'XRPETH', limit: 2 });
    expect((newest.json as unknown as { orderId: number }[]).map(({ orderId }) => orderId)).toEqual([6, 7]);
  });
});
