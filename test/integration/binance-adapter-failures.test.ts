import type { VenuePort } from '../../src/venues/port';
import { adapter, cleanups, failureOf, place, placed, venueThat } from '../support/binance-fixture';
import { closedPort, startRawServer, type Behaviour } from '../support/lying-server';

it.each([
  ['names another order', { ...placed, clientOrderId: 'other' }],
  ['leaves out a fill', { ...placed, fills: placed.fills.slice(1) }],
])('an order whose answer %s is OUTCOME_UNKNOWN', async (_what, body) => {
  const { venue } = await venueThat(() => ({ body }));
  expect((await failureOf(place(venue))).verdict).toMatchObject({ category: 'OUTCOME_UNKNOWN', reconcile: true });
});

describe('an act that failed', () => {
  const acts: [string, (venue: VenuePort) => Promise<unknown>][] = [
    ['place', place],
    ['cancel', (venue) => venue.cancelOrder('XRPETH', { clientOrderId: 'fsabc' })],
  ];

  describe.each(acts)('%s', (_name, act) => {
    it('is NOT_SENT when the connection is refused', async () => {
      const { verdict, failure } = await failureOf(act(adapter(`http://127.0.0.1:${await closedPort()}`)));
      expect([verdict.category, failure.phase, failure.code]).toEqual(['NOT_SENT', 'before_send', 'ECONNREFUSED']);
    });

    it('is NOT_SENT when the name does not resolve', async () => {
      const { verdict } = await failureOf(act(adapter('http://venue.invalid')));
      expect(verdict.category).toBe('NOT_SENT');
    });

    it('is NOT_SENT when the TLS handshake is reset', async () => {
      const server = await startRawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
      cleanups.push(server.close);
      const { verdict } = await failureOf(act(adapter(`https://127.0.0.1:${server.port}`)));
      expect(verdict.category).toBe('NOT_SENT');
    });

    it('is NOT_SENT when the TLS handshake hangs until the timeout', async () => {
      const server = await startRawServer((socket) => socket.resume());
      cleanups.push(server.close);
      const venue = adapter(`https://127.0.0.1:${server.port}`, { timeoutMs: 150 });
      const { verdict, failure } = await failureOf(act(venue));
      expect([verdict.category, failure.code]).toEqual(['NOT_SENT', 'TIMEOUT']);
    });

    it.each<[string, Behaviour]>([
      ['the connection is reset after the request', 'reset'],
      ['the connection is closed without an answer', 'close'],
      ['no answer comes in time', 'hang'],
      ['the answer breaks off', { status: 200, cutAfter: 40, text: JSON.stringify(placed) }],
      ['a refusal breaks off before its code', { status: 400, cutAfter: 5, text: '{"code":-1007,"msg":"..."}' }],
      ['the answer is cut JSON', { text: JSON.stringify(placed).slice(0, 60) }],
      ['the answer is empty', { status: 200, text: '' }],
      ['the answer lacks the order', { body: { symbol: 'XRPETH' } }],
      ['the answer is a page', { text: '<html>maintenance</html>' }],
      ['the gateway fails', { status: 502, text: '<html>Bad Gateway</html>' }],
      ['the venue is overloaded', { status: 503, body: { code: -1008, msg: 'Server is currently overloaded.' } }],
      ['the engine did not answer', { status: 400, body: { code: -1007, msg: 'Timeout; execution status unknown.' } }],
      ['it is redirected', { status: 307, headers: { location: '/elsewhere' } }],
    ])('is OUTCOME_UNKNOWN, and sent only once, when %s', async (_what, behaviour) => {
      const { venue, server } = await venueThat(() => behaviour, { timeoutMs: 400 });
      const { verdict } = await failureOf(act(venue));
      expect(verdict).toMatchObject({ category: 'OUTCOME_UNKNOWN', retry: 'never', reconcile: true });
      expect(server.requests).toHaveLength(1);
    });

    it('is OUTCOME_UNKNOWN when a kept-alive connection dies under it', async () => {
      let seen = 0;
      const { venue, server } = await venueThat(({ path }) => {
        if (path === '/api/v3/time') return { body: { serverTime: Date.now() } };
        seen += 1;
        return 'reset';
      });
      await venue.syncClock();
      const { verdict } = await failureOf(act(venue));
      expect([verdict.category, seen, server.requests.length]).toEqual(['OUTCOME_UNKNOWN', 1, 2]);
    });
  });

  it('carries status, code, message and the headers that speak of limits, and no others', async () => {
    const headers = { 'retry-after': '7', 'x-mbx-used-weight-1m': '6001', 'set-cookie': 'secret' };
    const body = { code: -1003, msg: 'Too much request weight used.' };
    const { venue } = await venueThat(() => ({ status: 429, body, headers }));
    const { failure, verdict, message } = await failureOf(place(venue));
    expect(failure).toEqual({
      exchange: 'binance',
      market: 'spot',
      operation: 'place',
      phase: 'response',
      httpStatus: 429,
      code: -1003,
      message: 'Too much request weight used.',
      headers: { 'retry-after': '7', 'x-mbx-used-weight-1m': '6001' },
    });
    expect(verdict).toMatchObject({ category: 'RATE_LIMIT', retryAfterMs: 7000 });
    expect(message).toBe('Too much request weight used.');
  });

  it('is a ban, with its length, even when the body of the 418 breaks off', async () => {
    const server = await startRawServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 418 x\r\nretry-after: 9\r\ncontent-length: 99\r\n\r\n{"co')),
    );
    cleanups.push(server.close);
    const { verdict } = await failureOf(place(adapter(`http://127.0.0.1:${server.port}`)));
    expect(verdict).toMatchObject({ category: 'BANNED', retryAfterMs: 9000 });
  });

  it('never shows secret or signature in what it tells', async () => {
    const { venue } = await venueThat(() => 'reset');
    const error = await failureOf(place(venue));
    const told = JSON.stringify([error.message, error.failure, error.verdict, String(error.cause), error.stack]);
    expect(told).not.toMatch(/test-secret|test-key|signature=/);
  });
});

it('tells sent from not sent for each of many concurrent requests', async () => {
  const { server } = await venueThat(({ query }) =>
    query.get('newClientOrderId')?.startsWith('lost') === true
      ? 'reset'
      : { body: { ...placed, clientOrderId: query.get('newClientOrderId') } },
  );
  const handshakes = await startRawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  cleanups.push(handshakes.close);
  const reached = adapter(server.baseUrl);
  const unreached = adapter(`https://127.0.0.1:${handshakes.port}`);
  const calls = Array.from({ length: 60 }, (_, index) => {
    if (index % 3 === 0) return place(reached, `good${index}`).then(() => 'done');
    if (index % 3 === 1) return failureOf(place(reached, `lost${index}`)).then(({ verdict }) => verdict.category);
    return failureOf(place(unreached, `none${index}`)).then(({ verdict }) => verdict.category);
  });
  const outcomes = await Promise.all(calls);
  const expected = outcomes.map((_, index) => ['done', 'OUTCOME_UNKNOWN', 'NOT_SENT'][index % 3]);
  expect(outcomes).toEqual(expected);
  expect(server.requests).toHaveLength(40);
});
