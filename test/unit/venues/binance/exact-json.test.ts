import fc from 'fast-check';

import { parseExactJson } from '../../../../src/venues/binance/exact-json';

describe('exact JSON', () => {
  it('keeps ids beyond 2^53 exactly, as strings', () => {
    expect(parseExactJson('{"orderId":9223372036854775807,"ids":[-9007199254740993, 9007199254740993]}')).toEqual({
      orderId: '9223372036854775807',
      ids: ['-9007199254740993', '9007199254740993'],
    });
  });

  it('leaves short integers, fractions and text alone', () => {
    const text = String.raw`{"a":123456789012345,"b":0.1234567890123456789,"c":"id 9007199254740993 \" 9007199254740993","d":1e20}`;
    expect(parseExactJson(text)).toEqual(JSON.parse(text));
  });

  it('refuses what is cut off or is no JSON', () => {
    for (const text of ['', '{"orderId":90071992547', '{"a":"9007199254740993', '9007199254740993abc', '<html>']) {
      expect(() => parseExactJson(text)).toThrow(SyntaxError);
    }
  });

  it('reads every JSON without long integers as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/\d{16}/.test(text));
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('changes no text, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.bigInt({ min: 10n ** 15n }), (text, id) => {
        const json = `{${JSON.stringify(text)}:${JSON.stringify(text + String(id))},"id":${id}}`;
        expect(parseExactJson(json)).toEqual(Object.assign({ [text]: text + String(id) }, { id: String(id) }));
      }),
    );
  });
});
