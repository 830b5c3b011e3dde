import fc from 'fast-check';

import { signQuery, toQuery } from '../../../../src/venues/binance/sign';

// The worked examples of the venue's own documentation.
const SECRET = 'NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j';
const example = (symbol: string) => ({
  symbol,
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '1',
  price: '0.1',
  stopPrice: undefined,
  recvWindow: 5000,
  timestamp: 1499827319559,
});

describe('a signed query', () => {
  it('carries the signature of the documented example', () => {
    expect(signQuery(toQuery(example('LTCBTC')), SECRET)).toBe(
      'symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559' +
        '&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71',
    );
  });

  it('percent-encodes before signing, as in the documented example with a symbol that is not ASCII', () => {
    expect(signQuery(toQuery(example('１２３４５６')), SECRET)).toMatch(
      /^symbol=%EF%BC%91.*&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3$/,
    );
  });

  it('is sent by the URL parser exactly as it was signed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const query = toQuery({ value });
        expect(new URL(`http://localhost/?${query}`).search).toBe(`?${query}`);
      }),
    );
    expect(toQuery({ value: "a'b(c)*!" })).toBe('value=a%27b%28c%29%2A%21');
  });
});
