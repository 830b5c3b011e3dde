import type { PlaceOrderInput } from '../../src/domain/order';
import { addDecimals, compareDecimals } from '../../src/domain/decimal';
import { createBinanceSpot } from '../../src/venues/binance/spot';
import { loadPaperConfig } from '../../src/venues/paper/config';
import type { FaultInput } from '../../src/venues/paper/fault-schema';
import { startPaperVenue, type PaperVenue } from '../../src/venues/paper/server';
import { isVenueError, type VenuePort } from '../../src/venues/port';

let paper: PaperVenue;
let venue: VenuePort;

beforeEach(async () => {
  const config = loadPaperConfig();
  // The market stands still, so that orders rest or fill by their price alone.
  const walk = { ...config.walk, tick_ms: 3_600_000, follow_percent: 0, partial_probability: 0 };
  paper = await startPaperVenue({ config: { ...config, walk } });
  venue = createBinanceSpot({ name: 'paper', baseUrl: paper.url, apiKey: 'paper-key', apiSecret: 'paper-secret' });
  await venue.syncClock();
});
afterEach(() => paper.close());

const market: PlaceOrderInput = {
  intentId: 'i',
  venue: 'paper',
  symbol: 'ADABTC',
  side: 'BUY',
  type: 'MARKET',
  quantity: '1000',
};
const resting: PlaceOrderInput = { ...market, type: 'LIMIT', price: '0.00002000' };

const place = (order: PlaceOrderInput, id: string) => venue.placeOrder(order, id, () => undefined);
const categoryOf = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'done',
    (error: unknown) => (isVenueError(error) ? error.verdict.category : String(error)),
  );

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(paper.url + path, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}
const addFault = (fault: FaultInput): Promise<void> => post('/admin/faults', fault);

it('places a market order that the look-up and the trades tell in the same way', async () => {
  const placed = await place(market, 'fs-market');
  expect(placed).toMatchObject({ clientOrderId: 'fs-market', status: 'FILLED', executedQuantity: '1000' });
  const filled = placed.fills.reduce((sum, { quantity }) => addDecimals(sum, quantity), '0');
  expect(filled).toBe('1000');
  expect(compareDecimals(placed.averagePrice, '0')).toBe(1);

  const found = await venue.findOrder('ADABTC', { clientOrderId: 'fs-market' });
  expect(found).toMatchObject(placed);
  expect(await venue.findOrder('ADABTC', { orderId: placed.orderId })).toEqual(found);
  const trades = await venue.listTrades('ADABTC', Date.now() - 60_000);
  expect(trades).toEqual(placed.fills.map((fill) => ({ ...fill, orderId: placed.orderId })));
});

it('cancels a resting order once, and says GONE after that', async () => {
  const placed = await place(resting, 'fs-rest');
  expect(placed).toMatchObject({ status: 'NEW', executedQuantity: '0', averagePrice: '0', fills: [] });
  const cancelled = await venue.cancelOrder('ADABTC', { clientOrderId: 'fs-rest' });
  expect(cancelled).toEqual({ ...placed, status: 'CANCELED' });
  expect(await categoryOf(venue.cancelOrder('ADABTC', { orderId: placed.orderId }))).toBe('GONE');
  expect((await venue.listOrders('ADABTC')).map(({ status }) => status)).toEqual(['CANCELED']);
});

it('lists all orders of a symbol, whole and since a point in time', async () => {
  for (const id of ['fs-1', 'fs-2', 'fs-3']) await place(resting, id);
  const ids = (await venue.listOrders('ADABTC')).map(({ clientOrderId }) => clientOrderId);
  expect(ids).toEqual(['fs-1', 'fs-2', 'fs-3']);
  expect(await venue.listOrders('ADABTC', Date.now() - 3 * 86_400_000)).toHaveLength(3);
  expect(await venue.listOrders('ADABTC', Date.now() + 60_000)).toEqual([]);
});

it.each<[FaultInput, string, boolean]>([
  [{ kind: 'drop_before', times: 1 }, 'OUTCOME_UNKNOWN', false],
  [{ kind: 'drop_after', times: 1 }, 'OUTCOME_UNKNOWN', true],
  [{ kind: 'corrupt', times: 1 }, 'OUTCOME_UNKNOWN', true],
  [{ kind: 'error_5xx_executed', times: 1 }, 'OUTCOME_UNKNOWN', true],
  [{ kind: 'error_5xx_not_executed', times: 1 }, 'OUTCOME_UNKNOWN', false],
  [{ kind: 'rate_limit', times: 1 }, 'RATE_LIMIT', false],
  [{ kind: 'ban', times: 1 }, 'BANNED', false],
])('under %j an order is %s, and the look-up finds the truth', async (fault, category, exists) => {
  await addFault({ ...fault, match: { method: 'POST', path: '/api/v3/order' } });
  expect(await categoryOf(place(market, 'fs-doubt'))).toBe(category);
  const found = await venue.findOrder('ADABTC', { clientOrderId: 'fs-doubt' });
  expect(found !== undefined).toBe(exists);
});

it('tells refusals apart', async () => {
  await place(resting, 'fs-open');
  expect(await categoryOf(place(resting, 'fs-open'))).toBe('ALREADY_APPLIED');
  expect(await categoryOf(place({ ...market, quantity: '90000000' }, 'fs-rich'))).toBe('FUNDS');
  expect(await categoryOf(place({ ...market, quantity: '0.00001' }, 'fs-tiny'))).toBe('INVALID');
  expect(await categoryOf(place({ ...market, symbol: 'NOSUCH' }, 'fs-symbol'))).toBe('INVALID');
  const crossing: PlaceOrderInput = { ...resting, type: 'LIMIT_MAKER', price: '0.00009000' };
  expect(await categoryOf(place(crossing, 'fs-maker'))).toBe('MARKET_REJECT');
  const stranger = createBinanceSpot({ name: 'p', baseUrl: paper.url, apiKey: 'paper-key', apiSecret: 'wrong' });
  expect(await categoryOf(stranger.placeOrder(market, 'fs-key', () => undefined))).toBe('AUTH');
});

it('is out of step when the venue clock moves, and in step again after a resync', async () => {
  await post('/admin/clock', { offsetMs: 60_000 });
  expect(await categoryOf(place(resting, 'fs-late'))).toBe('CLOCK');
  await venue.syncClock();
  expect(await categoryOf(place(resting, 'fs-late'))).toBe('done');
});
