import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { clientOrderIdOf } from '../../../src/domain/client-order-id';
import { fingerprintOf } from '../../../src/domain/fingerprint';
import { checkVenue, isVenueRefused } from '../../../src/domain/lane';
import type { PlaceOrderInput } from '../../../src/domain/order';

/** RFC 4648 base32 of the first ten bytes, written anew from the contract. */
function contractId(parts: string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 10);
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{5}/g) ?? [];
  return `fs${letters.map((five) => 'abcdefghijklmnopqrstuvwxyz234567'.charAt(parseInt(five, 2))).join('')}`;
}

describe('the client order id', () => {
  it('is 18 characters of a-z and 0-9, as the contract derives it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (namespace, venue, account, intentId) => {
        const id = clientOrderIdOf({ namespace, venue, account, intentId });
        expect(id).toMatch(/^fs[a-z0-9]{16}$/);
        expect(id).toBe(contractId([namespace, venue, account, intentId]));
      }),
    );
  });

  it('never changes for an intent: orders of older versions must be found', () => {
    const intent = { namespace: 'idempotency', venue: 'paper', intentId: 't000-in' };
    expect(clientOrderIdOf(intent)).toBe('fsocclktjrdd5mssvy');
    expect(clientOrderIdOf({ ...intent, account: undefined })).toBe('fsocclktjrdd5mssvy');
  });

  it('differs by namespace, venue, account and intent, and is not fooled by where one ends', () => {
    const ids = [
      { namespace: 'n', venue: 'v', intentId: 'i' },
      { namespace: 'm', venue: 'v', intentId: 'i' },
      { namespace: 'n', venue: 'w', intentId: 'i' },
      { namespace: 'n', venue: 'v', account: 'a', intentId: 'i' },
      { namespace: 'n', venue: 'v', intentId: 'ai' },
      { namespace: 'nv', venue: '', intentId: 'i' },
    ].map(clientOrderIdOf);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the fingerprint', () => {
  const order: PlaceOrderInput = {
    intentId: 'f1',
    venue: 'paper',
    symbol: 'XRPETH',
    side: 'BUY',
    type: 'LIMIT',
    quantity: '23',
    price: '0.00141',
  };
  const same = (over: Partial<PlaceOrderInput>): boolean =>
    fingerprintOf({ ...order, ...over }) === fingerprintOf(order);

  it('begins with its version', () => {
    expect(fingerprintOf(order)).toMatch(/^1:[A-Za-z0-9_-]{22}$/);
  });

  it('is the same however an amount is spelt and fields are ordered', () => {
    expect(same({ quantity: '23.00', price: '0.001410' })).toBe(true);
    expect(fingerprintOf(Object.fromEntries(Object.entries(order).reverse()) as never)).toBe(fingerprintOf(order));
  });

  it('ignores what the venue never sees', () => {
    expect(same({ strategy: 'momentum', tags: { desk: 'a' }, decidedAt: 1_515_568_500_000 })).toBe(true);
  });

  it.each([
    { quantity: '24' },
    { price: '0.00142' },
    { side: 'SELL' as const },
    { symbol: 'XRPBTC' },
    { timeInForce: 'GTC' as const },
    { account: 'a' },
    { expiresAt: 1_515_568_500_000 },
  ])('differs with %p', (over) => {
    expect(same(over)).toBe(false);
  });

  it('differs when an amount moves to another field', () => {
    const { quantity: _quantity, ...rest } = order;
    expect(fingerprintOf({ ...rest, quoteQuantity: '23' })).not.toBe(fingerprintOf(order));
  });
});

describe('the lane', () => {
  const config = { lane: 'paper', venues: { paper: {}, binance: { lane: 'live' } } };
  const refusal = (venue: string): { category: string; message: string } => {
    try {
      checkVenue(config, venue);
    } catch (error) {
      if (isVenueRefused(error)) return error;
    }
    throw new Error('was not refused');
  };

  it('lets a job reach a venue of its own lane', () => {
    expect(() => checkVenue(config, 'paper')).not.toThrow();
  });

  it('refuses a venue of the other lane and says what to set', () => {
    expect(refusal('binance')).toMatchObject({ category: 'LANE', message: expect.stringContaining('set lane: live') });
  });

  it.each(['kraken', 'constructor', '__proto__', 'toString'])(
    'refuses the venue %s that is not configured',
    (venue) => {
      expect(refusal(venue)).toMatchObject({ category: 'INVALID', message: expect.stringContaining('paper, binance') });
    },
  );
});
