import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPaperConfig } from '../../../../src/venues/paper/config';
import { startPaperVenue, type PaperVenue } from '../../../../src/venues/paper/server';
import { ManualClock, PaperClient } from './paper-client';

let dataDir: string;
let venue: PaperVenue;
let client: PaperClient;
let clock: ManualClock;

async function start(): Promise<void> {
  venue = await startPaperVenue({ config: loadPaperConfig(), clock, dataDir });
  client = new PaperClient(venue.url, clock);
}

/** What a client can see of the venue; the account's updateTime is the time of asking. */
async function everything(): Promise<unknown> {
  const lists = ['openOrders', 'allOrders', 'myTrades'].map((path) =>
    client.signed('GET', `/api/v3/${path}`, { symbol: 'XRPETH' }),
  );
  const account = await client.signed('GET', '/api/v3/account');
  return [...(await Promise.all(lists)).map(({ json }) => json), account.json.balances, (await client.truth()).orders];
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'paper-venue-'));
  clock = new ManualClock();
  await start();
});
afterEach(async () => {
  await venue.close();
  rmSync(dataDir, { recursive: true });
});

async function trade(): Promise<void> {
  for (let order = 0; order < 20; order += 1) {
    await client.limit(order % 2 ? 'BUY' : 'SELL', '0.00141', { newClientOrderId: `order-${order}` });
  }
  await client.place({ symbol: 'XRPETH', side: 'SELL', type: 'STOP_LOSS', quantity: '5', stopPrice: '0.0013' });
  await client.limit('BUY', '0.0005', { newClientOrderId: 'far' });
  await client.limit('BUY', '0.0005', { newClientOrderId: 'cancelled' });
  await client.cancel('cancelled');
  clock.advance(1000);
}

describe('a venue that starts again on its data', () => {
  it('has the same orders, trades and balances, and goes on counting', async () => {
    await trade();
    const before = await everything();
    await venue.close();
    await start();
    expect(await everything()).toEqual(before);
    const next = await client.limit('BUY', '0.0005', { newClientOrderId: 'next' });
    expect(next.json.orderId).toBe(24);
    expect((await client.limit('BUY', '0.0005', { newClientOrderId: 'far' })).json).toMatchObject({ code: -2010 });
  });

  it('cuts off a line that was being written when it died', async () => {
    await trade();
    const before = await everything();
    await venue.close();
    appendFileSync(join(dataDir, 'venue.jsonl'), '{"event":"order","order":{"orderId":999,"acc');
    await start();
    expect(await everything()).toEqual(before);
    await client.limit('BUY', '0.0005', { newClientOrderId: 'after' });
    await venue.close();
    await start();
    expect((await client.find('after')).json).toMatchObject({ status: 'NEW' });
  });

  it('does nothing after its end, not even what was to be executed late', async () => {
    await client.limit('BUY', '0.00141');
    await client.addFault({ kind: 'late_execution', ms: 1000, answer: 'error', match: { clientOrderId: 'late' } });
    await client.limit('BUY', '0.00141', { newClientOrderId: 'late' });
    await venue.close();
    const journal = readFileSync(join(dataDir, 'venue.jsonl'), 'utf8');
    clock.advance(60_000);
    expect(readFileSync(join(dataDir, 'venue.jsonl'), 'utf8')).toBe(journal);
    await start();
    expect(await client.truth('late')).toMatchObject({ taken: 0 });
  });

  it('refuses a journal that is broken in the middle and says where', async () => {
    await trade();
    await venue.close();
    const journal = join(dataDir, 'venue.jsonl');
    const whole = readFileSync(journal, 'utf8');
    writeFileSync(journal, whole.replace('\n', 'x\n'));
    await expect(start()).rejects.toThrow('venue.jsonl line 1 is not JSON');
    writeFileSync(journal, whole);
    await start();
  });
});

describe('the truth', () => {
  it('counts an order once for each time that the venue took it', async () => {
    await client.place({ symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '5', newClientOrderId: 'twice' });
    await client.place({ symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '5', newClientOrderId: 'twice' });
    await client.place({ symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '5', newClientOrderId: 'once' });
    await client.find('once');
    expect(await client.truth()).toMatchObject({
      totals: { requests: 4, orders: 2, executions: 3, duplicates: 1 },
      byClientOrderId: { twice: { taken: 2, requests: 2 }, once: { taken: 1, requests: 1, lookups: 1 } },
      orders: [{ clientOrderId: 'twice' }, { clientOrderId: 'twice' }, { clientOrderId: 'once' }],
      requests: [{ method: 'POST', status: 200, orderId: 1 }, {}, {}, { method: 'GET' }],
    });
  });
});
