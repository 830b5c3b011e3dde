import { createHmac } from 'node:crypto';

import {
  adapter,
  failureOf,
  order,
  place,
  placed,
  queried,
  SECRET,
  trades,
  venueThat,
} from '../support/binance-fixture';
import type { Behaviour, SeenRequest } from '../support/lying-server';

describe('an order', () => {
  it('is sent signed over the exact query, once, under the client order id', async () => {
    const { venue, server } = await venueThat(() => ({ body: placed }));
    await place(venue);
    expect(server.requests).toHaveLength(1);
    const [request] = server.requests as [SeenRequest];
    expect([request.method, request.path, request.headers['x-mbx-apikey']]).toEqual([
      'POST',
      '/api/v3/order',
      'test-key',
    ]);
    const [signed, signature] = request.rawQuery.split('&signature=') as [string, string];
    expect(signature).toBe(createHmac('sha256', SECRET).update(signed).digest('hex'));
    expect(Object.fromEntries(request.query)).toMatchObject({
      symbol: 'XRPETH',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '23',
      price: '0.00141',
      newClientOrderId: 'fsabc',
      newOrderRespType: 'FULL',
      recvWindow: '5000',
    });
  });

  it('comes back with canonical amounts, the average price and its fills', async () => {
    const { venue } = await venueThat(() => ({ body: placed }));
    expect(await place(venue)).toEqual({
      orderId: '28',
      clientOrderId: 'fsabc',
      status: 'FILLED',
      executedQuantity: '23',
      averagePrice: '0.0014',
      fills: [
        { tradeId: '56', price: '0.0014', quantity: '20', fee: '0.02', feeAsset: 'XRP', time: 1_700_000_000_123 },
        { tradeId: '57', price: '0.0014', quantity: '3', fee: '0.003', feeAsset: 'XRP', time: 1_700_000_000_123 },
      ],
    });
  });

  it('keeps ids that a number cannot hold', async () => {
    const text = JSON.stringify(placed).replace('"orderId":28', '"orderId":9007199254740993');
    const { venue } = await venueThat(() => ({ text: text.replace('"tradeId":57', '"tradeId":9223372036854775807') }));
    const state = await place(venue);
    expect([state.orderId, state.fills[1]?.tradeId]).toEqual(['9007199254740993', '9223372036854775807']);
  });

  it('by market and quote amount names no price and no time in force', async () => {
    const { venue, server } = await venueThat(() => ({ body: placed }));
    const { quantity: _quantity, price: _price, ...rest } = order;
    await venue.placeOrder({ ...rest, type: 'MARKET', quoteQuantity: '10' }, 'fsabc', () => undefined);
    const query = Object.fromEntries(server.requests[0]?.query ?? []);
    expect(query).toMatchObject({ type: 'MARKET', quoteOrderQty: '10' });
    expect(Object.keys(query)).not.toEqual(expect.arrayContaining(['price']));
    expect(query).not.toHaveProperty('timeInForce');
  });

  it('is not sent when the last check before the send throws, and that error comes out', async () => {
    const { venue, server } = await venueThat(() => ({ body: placed }));
    const halt = new Error('the kill switch was thrown');
    const act = venue.placeOrder(order, 'fsabc', () => {
      throw halt;
    });
    await expect(act).rejects.toBe(halt);
    await venue.syncClock().catch(() => undefined);
    expect(server.requests.map(({ path }) => path)).toEqual(['/api/v3/time']);
  });
});

describe('a cancel', () => {
  const cancelled = {
    ...placed,
    fills: undefined,
    origClientOrderId: 'fsabc',
    clientOrderId: 'cancelRandom',
    status: 'CANCELED',
    executedQty: '0.00000000',
    cummulativeQuoteQty: '0.00000000',
  };

  it('answers with the order under its own client order id', async () => {
    const { venue, server } = await venueThat(() => ({ body: cancelled }));
    const state = await venue.cancelOrder('XRPETH', { clientOrderId: 'fsabc' });
    expect(state).toMatchObject({ clientOrderId: 'fsabc', status: 'CANCELED', averagePrice: '0', fills: [] });
    expect(server.requests[0]?.method).toBe('DELETE');
    expect(server.requests[0]?.query.get('origClientOrderId')).toBe('fsabc');
  });

  it('of a partly filled order brings the fills too', async () => {
    const { venue } = await venueThat(({ method, path }) => {
      if (method === 'DELETE') return { body: { ...cancelled, executedQty: '23.0', cummulativeQuoteQty: '0.0322' } };
      return { body: path === '/api/v3/myTrades' ? trades : { ...queried, status: 'CANCELED' } };
    });
    const state = await venue.cancelOrder('XRPETH', { orderId: '28' });
    expect(state).toMatchObject({ status: 'CANCELED', executedQuantity: '23', averagePrice: '0.0014' });
    expect(state.fills.map(({ tradeId }) => tradeId)).toEqual(['56', '57']);
  });

  it('whose fills cannot be read is doubt, not a refusal', async () => {
    const { venue } = await venueThat(({ method }) => {
      if (method === 'DELETE') return { body: { ...cancelled, executedQty: '23.0', cummulativeQuoteQty: '0.0322' } };
      return { status: 418, body: { code: -1003, msg: 'IP banned until 1900000000000.' } };
    });
    const { verdict } = await failureOf(venue.cancelOrder('XRPETH', { orderId: '28' }));
    expect(verdict).toMatchObject({ category: 'OUTCOME_UNKNOWN', reconcile: true });
  });

  it('of an order that is not open is GONE', async () => {
    const { venue } = await venueThat(() => ({ status: 400, body: { code: -2011, msg: 'Unknown order sent.' } }));
    const { verdict } = await failureOf(venue.cancelOrder('XRPETH', { orderId: '28' }));
    expect(verdict.category).toBe('GONE');
  });
});

describe('a look-up', () => {
  it('finds the order with its fills', async () => {
    const { venue, server } = await venueThat(({ path }) => ({ body: path === '/api/v3/order' ? queried : trades }));
    expect(await venue.findOrder('XRPETH', { clientOrderId: 'fsabc' })).toEqual({
      symbol: 'XRPETH',
      side: 'BUY',
      type: 'LIMIT',
      quantity: '23',
      price: '0.00141',
      time: 1_700_000_000_123,
      orderId: '28',
      clientOrderId: 'fsabc',
      status: 'FILLED',
      executedQuantity: '23',
      averagePrice: '0.0014',
      fills: [
        { tradeId: '56', price: '0.0014', quantity: '20', fee: '0.02', feeAsset: 'XRP', time: 1_700_000_000_124 },
        { tradeId: '57', price: '0.0014', quantity: '3', fee: '0.003', feeAsset: 'XRP', time: 1_700_000_000_124 },
      ],
    });
    expect(server.requests[1]?.query.get('orderId')).toBe('28');
  });

  it('finds nothing where the venue knows no such order, and only there', async () => {
    const { venue } = await venueThat(() => ({ status: 400, body: { code: -2013, msg: 'Order does not exist.' } }));
    expect(await venue.findOrder('XRPETH', { clientOrderId: 'fsabc' })).toBeUndefined();
    const { venue: archive } = await venueThat(() => ({ status: 400, body: { code: -2026, msg: 'archived' } }));
    expect((await failureOf(archive.findOrder('XRPETH', { orderId: '28' }))).verdict.category).toBe('GONE');
  });

  it('reads the order again when it filled between the two reads', async () => {
    let reads = 0;
    const { venue } = await venueThat(({ path }) => {
      if (path !== '/api/v3/order') return { body: trades };
      reads += 1;
      return { body: reads === 1 ? { ...queried, executedQty: '20.0', cummulativeQuoteQty: '0.028' } : queried };
    });
    const found = await venue.findOrder('XRPETH', { clientOrderId: 'fsabc' });
    expect(found?.executedQuantity).toBe('23');
    expect(found?.fills).toHaveLength(2);
  });

  it('is to be repeated while the trades lag behind the order', async () => {
    const { venue } = await venueThat(({ path }) => ({
      body: path === '/api/v3/order' ? queried : trades.slice(0, 1),
    }));
    const { verdict, message } = await failureOf(venue.findOrder('XRPETH', { clientOrderId: 'fsabc' }));
    expect(verdict).toMatchObject({ retry: 'backoff', reconcile: false });
    expect(message).toContain('executed 23, its trades show 20');
  });

  it('that goes unanswered is to be repeated after a pause', async () => {
    const { venue } = await venueThat(() => 'reset');
    const { verdict } = await failureOf(venue.findOrder('XRPETH', { clientOrderId: 'fsabc' }));
    expect(verdict).toMatchObject({ retry: 'backoff', reconcile: false });
  });
});

describe('the history', () => {
  const NOW = Date.now();
  const HOUR = 3_600_000;
  // One order every 3 minutes over 5 days, with ids that a number cannot hold.
  const orders = Array.from({ length: 2400 }, (_, index) => ({
    ...queried,
    orderId: String(9_007_199_254_740_993n + BigInt(index)),
    time: NOW - 120 * HOUR + index * 180_000,
  }));

  /** Answers as the venue documents it: from an id on, or within a window of at most 24 h, the oldest first. */
  function historyPage<Item extends { time: number }>(
    { query }: SeenRequest,
    items: Item[],
    ids: { param: string; of: (item: Item) => string },
  ): Behaviour {
    const from = query.get(ids.param);
    const [start, end, limit] = ['startTime', 'endTime', 'limit'].map((name) => Number(query.get(name) ?? NaN));
    if (from === null && Number(end) - Number(start) >= 24 * HOUR)
      return { status: 400, body: { code: -1127, msg: 'long' } };
    const page = items.filter((item) =>
      from !== null ? BigInt(ids.of(item)) >= BigInt(from) : item.time >= Number(start) && item.time <= Number(end),
    );
    const text = JSON.stringify(page.slice(0, limit)).replace(/"(id|orderId)":"(\d+)"/g, '"$1":$2');
    return { text };
  }

  const ordersVenue = () =>
    venueThat((request) => historyPage(request, orders, { param: 'orderId', of: ({ orderId }) => orderId }));

  it('of orders is read whole, over all pages, oldest first', async () => {
    const { venue, server } = await ordersVenue();
    const found = await venue.listOrders('XRPETH');
    expect(found.map(({ orderId }) => orderId)).toEqual(orders.map(({ orderId }) => orderId));
    expect(server.requests).toHaveLength(3);
  });

  it('of orders since a point in time leaves out what is older, and asks for no long window', async () => {
    const { venue } = await ordersVenue();
    const since = orders[200]?.time ?? 0;
    const found = await venue.listOrders('XRPETH', since);
    expect(found).toHaveLength(2200);
    expect(found[0]?.orderId).toBe(orders[200]?.orderId);
  });

  it('of orders is found behind days without any', async () => {
    const { venue } = await ordersVenue();
    expect(await venue.listOrders('XRPETH', NOW - 600 * HOUR)).toHaveLength(2400);
    expect(await venue.listOrders('XRPETH', 0)).toHaveLength(2400);
  });

  it('of orders is empty where there are none', async () => {
    const { venue } = await venueThat(() => ({ body: [] }));
    expect(await venue.listOrders('XRPETH', NOW - 50 * HOUR)).toEqual([]);
    expect(await venue.listTrades('XRPETH')).toEqual([]);
  });

  it('of trades is read over all pages and keeps several trades of one millisecond', async () => {
    const all = Array.from({ length: 1500 }, (_, index) => ({ ...trades[0], id: String(index), time: NOW - HOUR }));
    const { venue } = await venueThat((request) => historyPage(request, all, { param: 'fromId', of: ({ id }) => id }));
    const found = await venue.listTrades('XRPETH', NOW - 2 * HOUR);
    expect(found.map(({ tradeId }) => tradeId)).toEqual(all.map(({ id }) => id));
    expect(found[0]).toMatchObject({ orderId: '28', quantity: '20', fee: '0.02', feeAsset: 'XRP' });
  });
});

describe('the clock', () => {
  it('stamps requests with the venue time once it is measured', async () => {
    const { venue, server } = await venueThat(({ path }) =>
      path === '/api/v3/time' ? { body: { serverTime: Date.now() + 120_000 } } : { body: placed },
    );
    expect(venue.clock().errorMs).toBeGreaterThanOrEqual(60_000);
    await venue.syncClock();
    await place(venue);
    const ahead = Number(server.requests[1]?.query.get('timestamp')) - Date.now();
    expect(Math.abs(ahead - 120_000)).toBeLessThan(30_000);
    expect(venue.clock().errorMs).toBeLessThan(30_000);
  });

  it('keeps its last measurement when a new one fails', async () => {
    let answers = 0;
    const { venue } = await venueThat(() =>
      answers++ === 0 ? { body: { serverTime: 1_700_000_000_000 } } : { status: 503 },
    );
    await venue.syncClock();
    expect((await failureOf(venue.syncClock())).verdict.retry).toBe('backoff');
    expect(venue.clock().nowMs).toBeGreaterThanOrEqual(1_700_000_000_000);
    expect(venue.clock().nowMs).toBeLessThan(1_700_000_600_000);
  });
});

it('refuses options that cannot work, naming them', () => {
  expect(() => adapter('ftp://somewhere')).toThrow(/venue test: baseUrl must be/);
  expect(() => adapter('http://key:secret@somewhere')).toThrow(/^(?!.*secret).*baseUrl must be/);
  expect(() => adapter('http://somewhere', { recvWindowMs: 60_001 })).toThrow(/recvWindowMs is 60001/);
  expect(() => adapter('http://somewhere', { apiKey: 'key\n' })).toThrow(/apiKey must be printable ASCII/);
  expect(() => adapter('http://somewhere', { apiSecret: '' })).toThrow(/apiSecret must be printable ASCII/);
  expect(() => adapter('http://somewhere', { timeoutMs: 0 })).toThrow(/timeoutMs is 0/);
});
