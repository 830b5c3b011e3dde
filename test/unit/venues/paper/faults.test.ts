import { startPaperVenue, type PaperVenue } from '../../../../src/venues/paper/server';
import { ManualClock, PaperClient, stillConfig } from './paper-client';

const RESTS = '0.0013';

let venue: PaperVenue;
let clock: ManualClock;
let client: PaperClient;

beforeEach(async () => {
  clock = new ManualClock();
  venue = await startPaperVenue({ config: stillConfig(), clock });
  client = new PaperClient(venue.url, clock);
});
afterEach(() => venue.close());

const buy = (id: string) => client.limit('BUY', RESTS, { newClientOrderId: id });
const taken = async (id: string): Promise<unknown> => (await client.truth(id)).taken;
const forPlacing = (id: string) => ({ method: 'POST', clientOrderId: id });

/** Waits for something that another process of the event loop does, asking the venue again and again. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

describe('a lost answer', () => {
  it('with drop_before the order was never taken', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'drop_before' });
    await expect(buy('a')).rejects.toThrow('fetch failed');
    expect(await client.truth('a')).toMatchObject({ taken: 0, requests: 1 });
    expect((await client.find('a')).json).toMatchObject({ code: -2013 });
  });

  it('with drop_after the order exists', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'drop_after' });
    await expect(buy('a')).rejects.toThrow('fetch failed');
    expect(await client.truth('a')).toMatchObject({ taken: 1, requests: 1 });
    expect((await client.find('a')).json).toMatchObject({ clientOrderId: 'a', status: 'NEW' });
  });

  it('with corrupt it comes with status 200 and half its JSON', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'corrupt' });
    await expect(buy('a')).rejects.toThrow('JSON');
    expect(await taken('a')).toBe(1);
  });

  it('with black_hole it never comes and nothing is done', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'black_hole' });
    const answer = buy('a').then(
      () => 'answered',
      () => 'cut',
    );
    await until(async () => (await client.truth('a')).requests === 1);
    clock.advance(3_600_000);
    expect(await taken('a')).toBe(0);
    await venue.close();
    expect(await answer).toBe('cut');
  });
});

describe('an error answer', () => {
  it('of error_5xx_executed hides an order that exists', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'error_5xx_executed', status: 504 });
    expect(await buy('a')).toMatchObject({
      status: 504,
      json: {
        code: -1007,
        msg: 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
      },
    });
    expect(await taken('a')).toBe(1);
  });

  it('of error_5xx_not_executed leaves no order, and may carry a body of its own', async () => {
    const body = { code: -1008, msg: 'Server is currently overloaded with other requests.' };
    await client.addFault({ match: forPlacing('a'), kind: 'error_5xx_not_executed', status: 502, body });
    expect(await buy('a')).toMatchObject({ status: 502, json: body });
    expect(await taken('a')).toBe(0);
  });

  it('of rate_limit and ban say when to come back', async () => {
    await client.addFault({ match: { path: '/api/v3/time' }, kind: 'rate_limit', retryAfterSeconds: 7, times: 1 });
    await client.addFault({ match: { path: '/api/v3/time' }, kind: 'ban', retryAfterSeconds: 120, times: 1 });
    const limited = await client.send('GET', '/api/v3/time');
    expect(limited).toMatchObject({ status: 429, json: { code: -1003 } });
    expect(limited.headers.get('retry-after')).toBe('7');
    const banned = await client.send('GET', '/api/v3/time');
    expect(banned).toMatchObject({
      status: 418,
      json: { code: -1003, msg: expect.stringContaining(`IP banned until ${clock.now() + 120_000}.`) },
    });
    expect(banned.headers.get('retry-after')).toBe('120');
    expect((await client.send('GET', '/api/v3/time')).status).toBe(200);
  });
});

describe('late truth', () => {
  it('with lookup_lag no read shows the order until the time is over, while a cancel finds it', async () => {
    await client.addFault({ match: { clientOrderId: 'a' }, kind: 'lookup_lag', ms: 3000 });
    const { json } = await client.limit('BUY', '0.0015', { newClientOrderId: 'a' });
    expect(json.status).toBe('FILLED');
    const lists = async () =>
      (
        await Promise.all(
          ['openOrders', 'allOrders', 'myTrades'].map((path) =>
            client.signed('GET', `/api/v3/${path}`, { symbol: 'XRPETH' }),
          ),
        )
      ).flatMap((reply) => reply.json as unknown as { orderId: number }[]);
    expect((await client.find('a')).json).toEqual({ code: -2013, msg: 'Order does not exist.' });
    expect(await lists()).toEqual([]);
    clock.advance(2999);
    expect((await client.find('a')).status).toBe(400);
    clock.advance(1);
    expect((await client.find('a')).json).toMatchObject({ clientOrderId: 'a' });
    expect((await lists()).map(({ orderId }) => orderId)).toContain(json.orderId);

    await client.addFault({ match: { clientOrderId: 'b' }, kind: 'lookup_lag', ms: 3000 });
    await buy('b');
    expect((await client.find('b')).status).toBe(400);
    expect((await client.signed('GET', '/api/v3/openOrders')).json).toEqual([]);
    expect((await client.cancel('b')).json).toMatchObject({ status: 'CANCELED' });
  });

  it('with late_execution the order comes into being long after the error', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'late_execution', ms: 12_000, answer: 'error' });
    expect(await buy('a')).toMatchObject({ status: 504, json: { code: -1007 } });
    clock.advance(11_999);
    expect((await client.find('a')).json).toMatchObject({ code: -2013 });
    clock.advance(1);
    expect((await client.find('a')).json).toMatchObject({ clientOrderId: 'a', time: clock.now() });
    expect(await taken('a')).toBe(1);
  });

  it('with late_execution the gateway still refuses at once what it can check', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'late_execution', ms: 1000 });
    const reply = await client.limit('BUY', RESTS, { newClientOrderId: 'a', symbol: 'NOSUCH' });
    expect(reply).toMatchObject({ status: 400, json: { code: -1121 } });
  });

  it('with delay the order is taken before or after the wait', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'delay', ms: 2000 });
    await client.addFault({ match: forPlacing('b'), kind: 'delay', ms: 2000, phase: 'after' });
    const answers = [buy('a'), buy('b')];
    await until(async () => (await client.truth('a')).requests === 1 && (await client.truth('b')).requests === 1);
    expect([await taken('a'), await taken('b')]).toEqual([0, 1]);
    clock.advance(2000);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('combines with a lost answer', async () => {
    await client.addFault({ match: forPlacing('a'), kind: 'drop_after' });
    await client.addFault({ match: forPlacing('a'), kind: 'lookup_lag', ms: 1000 });
    await expect(buy('a')).rejects.toThrow();
    expect((await client.find('a')).status).toBe(400);
    expect(await client.truth('a')).toMatchObject({ taken: 1, log: [{ faults: ['drop_after', 'lookup_lag'] }, {}] });
  });
});

describe('which requests a fault strikes', () => {
  const error = { kind: 'error_5xx_not_executed' };
  const statuses = async (count: number): Promise<number[]> => {
    const seen: number[] = [];
    for (let call = 0; call < count; call += 1) seen.push((await client.send('GET', '/api/v3/time')).status);
    return seen;
  };

  it('is told by times, by nth and by a span of time', async () => {
    await client.addFault({ ...error, times: 2 });
    expect(await statuses(3)).toEqual([503, 503, 200]);
    await client.addFault({ ...error, match: { nth: 2 } });
    expect(await statuses(3)).toEqual([200, 503, 200]);
    await client.addFault({ ...error, afterMs: 1000, forMs: 1000 });
    expect(await statuses(1)).toEqual([200]);
    clock.advance(1000);
    expect(await statuses(1)).toEqual([503]);
    clock.advance(1000);
    expect(await statuses(1)).toEqual([200]);
  });

  it('is told by method, path and symbol', async () => {
    await client.addFault({ ...error, match: { path: '/api/v3/ticker/*', symbol: 'XRPETH' } });
    const ticker = async (symbol: string) => (await client.send('GET', `/api/v3/ticker/price?symbol=${symbol}`)).status;
    expect([await ticker('XRPETH'), await ticker('BTCUSDT'), ...(await statuses(1))]).toEqual([503, 200, 200]);
  });

  it('is drawn from the seed when a probability is given', async () => {
    await client.addFault({ ...error, match: { probability: 0.5 } });
    const first = await statuses(20);
    expect(new Set(first)).toEqual(new Set([200, 503]));
    await venue.close();
    venue = await startPaperVenue({
      config: stillConfig(),
      clock,
      faults: [{ kind: 'error_5xx_not_executed', match: { probability: 0.5 } }],
    });
    client = new PaperClient(venue.url, clock);
    expect(await statuses(20)).toEqual(first);
  });

  it('is seen and taken back by the admin endpoint', async () => {
    await client.addFault([{ ...error }, { kind: 'drop_after', match: { clientOrderId: 'x' } }]);
    await statuses(1);
    const { json } = await client.send('GET', '/admin/faults');
    expect(json.faults).toEqual([
      expect.objectContaining({ id: 1, kind: 'error_5xx_not_executed', matched: 1, struck: 1 }),
      expect.objectContaining({ id: 2, kind: 'drop_after', struck: 0 }),
    ]);
    expect((await client.send('DELETE', '/admin/faults')).json).toEqual({ removed: 2 });
    expect(await statuses(1)).toEqual([200]);
  });

  it('is refused when the fault is not one', async () => {
    const reply = await client.send('POST', '/admin/faults', { body: '{"kind":"delay"}' });
    expect(reply).toMatchObject({ status: 400, json: { error: expect.stringContaining('at [0].ms') } });
  });
});

describe("the venue's clock", () => {
  it('can be moved, so that a client stamps outside of the window until it asks for the time', async () => {
    await client.send('POST', '/admin/clock', { body: '{"offsetMs": 6000}' });
    expect((await buy('a')).json).toMatchObject({ code: -1021 });
    const { json } = await client.send('GET', '/api/v3/time');
    expect(json.serverTime).toBe(clock.now() + 6000);
    const synced = new PaperClient(venue.url, { now: () => clock.now() + 6000 });
    expect((await synced.limit('BUY', RESTS)).status).toBe(200);
  });
});
