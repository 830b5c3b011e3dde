import { runInNewContext } from 'node:vm';
import { isInvalidInput, parseCancelOrder, parseJobInput, parsePlaceOrder } from '../../../src/domain/order.schema';

const LIMIT = {
  intentId: 'f3',
  venue: 'paper',
  symbol: 'XRPETH',
  side: 'BUY',
  type: 'LIMIT',
  quantity: '23',
  price: '0.00141',
};
const CANCEL = { intentId: 'c3', venue: 'paper', symbol: 'XRPETH', orderIntentId: 'f3' };

function problemsOf(parse: () => unknown): string[] {
  try {
    parse();
  } catch (error) {
    if (isInvalidInput(error)) return error.problems;
    throw error;
  }
  throw new Error('was not refused');
}
const placing = (over: object): string[] => problemsOf(() => parsePlaceOrder({ ...LIMIT, ...over }));
const cancelling = (over: object): string[] => problemsOf(() => parseCancelOrder({ ...CANCEL, ...over }));

describe('the input of placeOrder', () => {
  it('passes as it is, with the time in force that every venue needs', () => {
    expect(parsePlaceOrder(LIMIT)).toEqual({ ...LIMIT, timeInForce: 'GTC' });
    expect(parsePlaceOrder({ ...LIMIT, timeInForce: 'IOC' }).timeInForce).toBe('IOC');
  });

  it('takes null for not given, as other languages say it', () => {
    const order = parsePlaceOrder({ ...LIMIT, quoteQuantity: null, timeInForce: null, account: null });
    expect(order).toEqual({ ...LIMIT, timeInForce: 'GTC' });
    expect(placing({ price: null })).toEqual(['price: missing, a LIMIT order needs it']);
  });

  it.each(['intentId', 'venue', 'symbol', 'side', 'type'])('without %s is refused and the field is named', (field) => {
    const problems = placing({ [field]: undefined });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${field}: missing`));
  });

  it('with an unknown field is refused, and the known ones are listed', () => {
    const [problem = ''] = placing({ quantitty: '23' });
    expect(problem).toMatch(/^quantitty: there is no such field; known are intentId, .*quantity/);
  });

  it('names every bad field at once', () => {
    expect(placing({ side: 'buy', symbol: 'xrp', quantity: '-1' })).toHaveLength(3);
  });

  it.each([
    ['a number', 23, 'must be a decimal string, not a number: "23" in quotes'],
    ['a negative amount', '-23', 'must be above zero'],
    ['zero', '0.00', 'must be above zero'],
    ['an exponent', '1e3', 'must be a plain decimal string'],
    ['a plus sign', '+1', 'must be a plain decimal string'],
    ['a comma', '1,5', 'must be a plain decimal string'],
    ['nothing at all', '', 'must be a plain decimal string'],
    ['float noise', '0.30000000000000004', 'looks like float noise'],
    ['NaN', Number.NaN, 'must be a decimal string, not a number'],
    ['a boolean', true, 'must be a plain decimal string'],
    ['an array', ['23'], 'must be a plain decimal string'],
  ])('with %s as an amount is refused in words', (_what, quantity, words) => {
    const [problem = '', ...more] = placing({ quantity });
    expect(more).toEqual([]);
    expect(problem).toMatch(/^quantity: /);
    expect(problem).toContain(words);
  });

  it.each([
    ['a bigint', 23n],
    ['an object that holds a bigint', { n: 23n }],
    ['an object that holds itself', circular()],
    ['a function', () => '23'],
    ['a symbol', Symbol('23')],
    ['a Date', new Date(0)],
    ['an object of another realm', runInNewContext('({ toString: () => "23" })') as object],
  ])('with %s as an amount is refused like any other bad value', (_what, quantity) => {
    expect(placing({ quantity })[0]).toMatch(/^quantity: .*must be a plain decimal string/);
  });

  it.each([undefined, null, 'order', 23, [], [LIMIT]])('must be one object: %p is refused', (input) => {
    expect(problemsOf(() => parsePlaceOrder(input))[0]).toMatch(/^input of placeOrder: must be one object/);
  });

  it.each(['', 'a'.repeat(65), 'a b', 'a/b', 'ä', 'a\n'])('with intentId %j is refused', (intentId) => {
    expect(placing({ intentId })[0]).toMatch(/^intentId: .*must be 1 to 64/);
  });

  it('takes times as epoch ms or ISO 8601 with a zone, and keeps them as epoch ms', () => {
    const at = 1_515_568_500_000;
    for (const expiresAt of [at, String(at), '2018-01-10T07:15:00Z', '2018-01-10T08:15:00.000+01:00']) {
      expect(parsePlaceOrder({ ...LIMIT, expiresAt }).expiresAt).toBe(at);
    }
  });

  it.each([
    '2018-01-10T07:15:00',
    '2018-01-10',
    'tomorrow',
    1_515_568_500,
    1.5e12 + 0.5,
    -1,
    '2018-13-10T07:15:00Z',
    {},
  ])('with the time %p is refused', (expiresAt) => {
    expect(placing({ expiresAt })[0]).toMatch(/^expiresAt: .*epoch milliseconds .* or ISO 8601/);
  });

  it.each([
    ['LIMIT without price', { price: undefined }, 'price: missing, a LIMIT order needs it'],
    ['LIMIT with stopPrice', { stopPrice: '1' }, 'stopPrice: a LIMIT order has none'],
    ['MARKET with price', { type: 'MARKET' }, 'price: a MARKET order has none'],
    [
      'LIMIT_MAKER with timeInForce',
      { type: 'LIMIT_MAKER', timeInForce: 'GTC' },
      'timeInForce: a LIMIT_MAKER order has none',
    ],
    [
      'STOP_LOSS_LIMIT without stopPrice',
      { type: 'STOP_LOSS_LIMIT' },
      'stopPrice: missing, a STOP_LOSS_LIMIT order needs it',
    ],
  ])('as %s is refused', (_what, over, problem) => {
    expect(placing(over)).toEqual([problem]);
  });

  it('as MARKET needs exactly one of quantity and quoteQuantity', () => {
    const market = { type: 'MARKET', price: undefined };
    expect(placing({ ...market, quoteQuantity: '5' })[0]).toContain('exactly one of quantity and quoteQuantity');
    expect(placing({ ...market, quantity: undefined })[0]).toContain('exactly one of quantity and quoteQuantity');
    expect(parsePlaceOrder({ ...LIMIT, ...market, quantity: undefined, quoteQuantity: '5' }).quoteQuantity).toBe('5');
  });

  it('with a field called __proto__ is refused and changes no prototype', () => {
    const input: unknown = JSON.parse(`{"__proto__": {"quantity": "1"}, ${JSON.stringify(LIMIT).slice(1)}`);
    expect(problemsOf(() => parsePlaceOrder(input))[0]).toContain('__proto__: there is no such field');
  });
});

describe('the input of cancelOrder', () => {
  it('names exactly one order', () => {
    expect(parseCancelOrder(CANCEL)).toEqual(CANCEL);
    expect(parseJobInput('order.cancel', { ...CANCEL, orderIntentId: null, orderId: '28' })).toMatchObject({
      orderId: '28',
    });
    expect(cancelling({ orderId: '28' })[0]).toContain('exactly one of orderIntentId, clientOrderId and orderId');
    expect(cancelling({ orderIntentId: undefined })[0]).toContain('not 0');
  });

  it('takes an order id as text only, since large numbers lose digits', () => {
    expect(cancelling({ orderIntentId: undefined, orderId: 28 })[0]).toMatch(/^orderId: 28 must be a string of digits/);
  });
});

function circular(): object {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self;
}
