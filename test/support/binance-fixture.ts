import type { PlaceOrderInput } from '../../src/domain/order';
import { createBinanceSpot, type BinanceSpotOptions } from '../../src/venues/binance/spot';
import { isVenueError, type VenueError, type VenuePort } from '../../src/venues/port';
import { startLyingServer, type Behaviour, type LyingServer, type SeenRequest } from './lying-server';

export const SECRET = 'test-secret';
export const order: PlaceOrderInput = {
  intentId: 't-1',
  venue: 'binance',
  symbol: 'XRPETH',
  side: 'BUY',
  type: 'LIMIT',
  quantity: '23',
  price: '0.00141',
};

export const placed = {
  symbol: 'XRPETH',
  orderId: 28,
  clientOrderId: 'fsabc',
  transactTime: 1_700_000_000_123,
  price: '0.00141000',
  origQty: '23.00000000',
  executedQty: '23.00000000',
  cummulativeQuoteQty: '0.03220000',
  status: 'FILLED',
  type: 'LIMIT',
  side: 'BUY',
  fills: [
    { price: '0.00140000', qty: '20.00000000', commission: '0.02000000', commissionAsset: 'XRP', tradeId: 56 },
    { price: '0.00140000', qty: '3.00000000', commission: '0.00300000', commissionAsset: 'XRP', tradeId: 57 },
  ],
};
export const queried = { ...placed, time: 1_700_000_000_123, updateTime: 1_700_000_000_123, fills: undefined };
export const trades = placed.fills.map(({ tradeId, ...fill }) => ({
  ...fill,
  id: tradeId,
  orderId: 28,
  time: 1_700_000_000_124,
}));

/** Run after each test. */
export const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

export function adapter(baseUrl: string, options: Partial<BinanceSpotOptions> = {}): VenuePort {
  return createBinanceSpot({
    name: 'test',
    baseUrl,
    apiKey: 'test-key',
    apiSecret: SECRET,
    timeoutMs: 5000,
    ...options,
  });
}

export async function venueThat(
  behave: (request: SeenRequest) => Behaviour,
  options: Partial<BinanceSpotOptions> = {},
): Promise<{ venue: VenuePort; server: LyingServer }> {
  const server = await startLyingServer(behave);
  cleanups.push(server.close);
  return { venue: adapter(server.baseUrl, options), server };
}

export const place = (venue: VenuePort, clientOrderId = 'fsabc') =>
  venue.placeOrder(order, clientOrderId, () => undefined);

export async function failureOf(act: Promise<unknown>): Promise<VenueError> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isVenueError(error)) throw new Error('expected a VenueError', { cause: error });
  return error;
}
