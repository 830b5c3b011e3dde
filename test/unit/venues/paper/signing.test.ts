import { WireParams } from '../../../../src/venues/paper/wire-params';
import { authenticate } from '../../../../src/venues/paper/wire-signature';

// The example that Binance publishes for HMAC keys.
const API_KEY = 'vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A';
const SECRET = 'NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j';
const PAYLOAD =
  'symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559';
const SIGNATURE = 'c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71';
const SIGNED_AT = 1499827319559;
const keys = new Map([[API_KEY, { secret: SECRET, account: 'main' }]]);

function check(query: string, { body = '', nowMs = SIGNED_AT, apiKey = API_KEY } = {}): string {
  return authenticate({ apiKey, query, body, params: new WireParams(query, body) }, keys, nowMs);
}

describe('a signed request', () => {
  it("is accepted with the signature of Binance's own example", () => {
    expect(check(`${PAYLOAD}&signature=${SIGNATURE}`)).toBe('main');
  });

  it('is accepted with all parameters in the body', () => {
    expect(check('', { body: `${PAYLOAD}&signature=${SIGNATURE}` })).toBe('main');
  });

  it("is accepted with Binance's example of query string and body, joined without a separator", () => {
    const query = 'symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC';
    const signature = '0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77';
    const body = `quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature=${signature}`;
    expect(check(query, { body })).toBe('main');
  });

  it('is accepted with the signature in capitals or in front', () => {
    expect(check(`signature=${SIGNATURE.toUpperCase()}&${PAYLOAD}`)).toBe('main');
  });

  it('is refused when one character of what was signed differs', () => {
    expect(() => check(`${PAYLOAD.replace('price=0.1', 'price=0.2')}&signature=${SIGNATURE}`)).toThrow(
      expect.objectContaining({ code: -1022, message: 'Signature for this request is not valid.', status: 400 }),
    );
  });

  it('is refused without a signature, without a timestamp, with a malformed key and with a key of nobody', () => {
    expect(() => check(PAYLOAD)).toThrow(
      expect.objectContaining({
        code: -1102,
        message: "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
      }),
    );
    expect(() => check('symbol=LTCBTC&signature=00')).toThrow(
      expect.objectContaining({
        code: -1102,
        message: "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.",
      }),
    );
    expect(() => check(`${PAYLOAD}&signature=${SIGNATURE}`, { apiKey: 'no key' })).toThrow(
      expect.objectContaining({ code: -2014, message: 'API-key format invalid.', status: 401 }),
    );
    expect(() => check(`${PAYLOAD}&signature=${SIGNATURE}`, { apiKey: 'somebody' })).toThrow(
      expect.objectContaining({
        code: -2015,
        message: 'Invalid API-key, IP, or permissions for action.',
        status: 401,
      }),
    );
  });
});

describe('the time of a signed request', () => {
  const at = (nowMs: number) => () => check(`${PAYLOAD}&signature=${SIGNATURE}`, { nowMs });

  it('may be up to recvWindow old and not a millisecond more', () => {
    expect(at(SIGNED_AT + 5000)()).toBe('main');
    expect(at(SIGNED_AT + 5001)).toThrow(
      expect.objectContaining({ code: -1021, message: 'Timestamp for this request is outside of the recvWindow.' }),
    );
  });

  it('may be less than a second ahead', () => {
    expect(at(SIGNED_AT - 999)()).toBe('main');
    expect(at(SIGNED_AT - 1000)).toThrow(
      expect.objectContaining({
        code: -1021,
        message: "Timestamp for this request was 1000ms ahead of the server's time.",
      }),
    );
  });

  it('is refused with a recvWindow above a minute', () => {
    expect(() => check(`recvWindow=60001&timestamp=${SIGNED_AT}&signature=00`)).toThrow(
      expect.objectContaining({
        code: -1102,
        message: "'recvWindow' contains unexpected value. Cannot be greater than 60000.",
      }),
    );
  });
});
