import { startPaperVenue, type PaperVenue } from '../../../../src/venues/paper/server';
import { ManualClock, PaperClient, stillConfig } from './paper-client';

let venue: PaperVenue;
let client: PaperClient;
const limit = { symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '23', price: '0.0014' };

beforeAll(async () => {
  venue = await startPaperVenue({ config: stillConfig() });
  client = new PaperClient(venue.url, Date);
});
afterAll(() => venue.close());

const without = (field: keyof typeof limit): Record<string, string> =>
  Object.fromEntries(Object.entries(limit).filter(([name]) => name !== field));
const mandatory = (field: string): string =>
  `Mandatory parameter '${field}' was not sent, was empty/null, or malformed.`;

describe('a new order is refused in the words of Binance', () => {
  it.each<[string, Record<string, string>, number, string]>([
    ['without a price', without('price'), -1102, mandatory('price')],
    ['without a time in force', without('timeInForce'), -1102, mandatory('timeInForce')],
    ['without a symbol', without('symbol'), -1102, mandatory('symbol')],
    ['with an empty quantity', { ...limit, quantity: '' }, -1105, "Parameter 'quantity' was empty."],
    ['for an unknown symbol', { ...limit, symbol: 'XRPXRP' }, -1121, 'Invalid symbol.'],
    ['with an unknown side', { ...limit, side: 'HOLD' }, -1117, 'Invalid side.'],
    ['with an unknown type', { ...limit, type: 'LIMITED' }, -1116, 'Invalid orderType.'],
    ['with an unknown time in force', { ...limit, timeInForce: 'DAY' }, -1115, 'Invalid timeInForce.'],
    ['with a stop price', { ...limit, stopPrice: '1' }, -1106, "Parameter 'stopPrice' sent when not required."],
    [
      'with a price on a market order',
      { symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '23', price: '1' },
      -1106,
      "Parameter 'price' sent when not required.",
    ],
    [
      'with a parameter of nobody',
      { ...limit, colour: 'red' },
      -1104,
      "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
    ],
    [
      'with letters in an amount',
      { ...limit, quantity: '1e3' },
      -1100,
      "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    ],
    [
      'with a space in its id',
      { ...limit, newClientOrderId: 'a b' },
      -1100,
      "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    ],
    ['with a price below the least', { ...limit, price: '0.000000001' }, -1013, 'Filter failure: PRICE_FILTER'],
    [
      'with a stop price below the least',
      { ...limit, type: 'STOP_LOSS_LIMIT', stopPrice: '0.000000001' },
      -1013,
      'Filter failure: PRICE_FILTER',
    ],
    ['with too fine a price', { ...limit, price: '0.001400001' }, -1111, "Parameter 'price' has too much precision."],
    ['with too small a quantity', { ...limit, quantity: '0.001' }, -1013, 'Filter failure: LOT_SIZE'],
    ['between two steps of the lot', { ...limit, quantity: '23.00005' }, -1013, 'Filter failure: LOT_SIZE'],
    ['worth too little', { ...limit, quantity: '0.1' }, -1013, 'Filter failure: NOTIONAL'],
  ])('%s', async (_, fields, code, msg) => {
    expect(await client.place(fields)).toMatchObject({ status: 400, json: { code, msg } });
  });

  it('and leaves no order behind', async () => {
    const before = (await client.truth()).totals as { executions: number };
    await client.place({ ...limit, quantity: '0.1', newClientOrderId: 'refused' });
    expect(await client.truth()).toMatchObject({ totals: { executions: before.executions } });
    expect(await client.truth('refused')).toMatchObject({ taken: 0, requests: 1 });
  });
});

describe('other endpoints', () => {
  it('refuse a look-up that names no order', async () => {
    const { json } = await client.signed('GET', '/api/v3/order', { symbol: 'XRPETH' });
    expect(json).toEqual({
      code: -1102,
      msg: "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
    });
  });

  it('refuse a parameter that comes twice', async () => {
    const { json } = await client.send('GET', '/api/v3/ticker/price?symbol=XRPETH&symbol=XRPETH');
    expect(json).toEqual({ code: -1101, msg: 'Duplicate values for a parameter detected.' });
  });

  it('refuse a span of more than a day', async () => {
    const span = { symbol: 'XRPETH', startTime: 1, endTime: 90_000_000 };
    expect((await client.signed('GET', '/api/v3/allOrders', span)).json).toEqual({
      code: -1127,
      msg: 'More than 24 hours between startTime and endTime.',
    });
  });

  it('say which symbols and filters there are', async () => {
    const { json } = await client.send('GET', '/api/v3/exchangeInfo?symbols=["XRPETH","BTCUSDT"]');
    const symbols = json.symbols as { symbol: string; filters: { filterType: string }[] }[];
    expect(symbols.map(({ symbol }) => symbol)).toEqual(['XRPETH', 'BTCUSDT']);
    expect(symbols[0]?.filters).toContainEqual({
      filterType: 'LOT_SIZE',
      minQty: '0.01000000',
      maxQty: '100000000.00000000',
      stepSize: '0.00010000',
    });
  });

  it('count weight and hold what is over the limit', async () => {
    const limits = { weight_per_minute: 5, orders_per_10s: 2, orders_per_day: 10 };
    const clock = new ManualClock();
    const small = await startPaperVenue({ config: stillConfig({ limits }), clock });
    try {
      const other = new PaperClient(small.url, clock);
      await other.place(limit);
      await other.place(limit);
      const third = await other.place(limit);
      expect(third).toMatchObject({
        status: 429,
        json: { code: -1015, msg: 'Too many new orders; current limit is 2 orders per 10 SECOND.' },
      });
      expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
      const heavy = await other.signed('GET', '/api/v3/account');
      expect(heavy).toMatchObject({ status: 429, json: { code: -1003 } });
    } finally {
      await small.close();
    }
  });
});
