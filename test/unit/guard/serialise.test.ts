import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { MOST_KEPT_BYTES, serialiseResult, UnserialisableResultError } from '../../../src/guard/serialise';

class Money {
  constructor(readonly amount = '1') {}
}

describe('the text of a result', () => {
  it('reads back as the same result', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.constantFrom(0.1, -1.5, 1e-9),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, (result) => {
        fc.pre(Buffer.byteLength(JSON.stringify(result)) <= MOST_KEPT_BYTES);
        expect(JSON.parse(serialiseResult(result))).toEqual(JSON.parse(JSON.stringify(result)));
      }),
    );
  });

  it('leaves out what is undefined, as JSON does', () => {
    expect(serialiseResult({ orderId: '7', account: undefined })).toBe('{"orderId":"7"}');
  });

  it('takes plain objects of another realm and without prototype', () => {
    expect(serialiseResult(runInNewContext('({ a: [1, { b: "c" }] })'))).toBe('{"a":[1,{"b":"c"}]}');
    expect(serialiseResult(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  it.each([
    ['a bigint', { a: { b: [1n] } }, 'result.a.b[0] is bigint 1'],
    ['a Date', { at: new Date(0) }, 'result.at is a Date'],
    ['a Map', { fills: new Map() }, 'result.fills is a Map'],
    ['a Set', { fills: new Set() }, 'result.fills is a Set'],
    ['NaN', { price: Number.NaN }, 'result.price is number NaN'],
    ['Infinity', { price: Infinity }, 'result.price is number Infinity'],
    ['an integer that loses digits', { orderId: 2 ** 53 }, 'result.orderId is number 9007199254740992'],
    ['undefined in a list', { fills: [undefined] }, 'result.fills[0] is undefined'],
    ['undefined', undefined, 'result is undefined'],
    ['a function', { toJSON: () => 1 }, 'result.toJSON is function'],
    ['a class of one’s own', { price: new Money() }, 'result.price is a Money'],
    ['a Buffer', { raw: Buffer.from('x') }, 'result.raw is a Buffer'],
    [
      'more than a record keeps',
      { rows: 'x'.repeat(3_000) },
      'result has 3011 bytes as JSON, and 2048 are kept at most',
    ],
    ['a Date of another realm', { at: runInNewContext('new Date(0)') as unknown }, 'result.at is a Date'],
  ])('is refused for %s, and the place is named', (_what, result, message) => {
    expect(() => serialiseResult(result)).toThrow(UnserialisableResultError);
    expect(() => serialiseResult(result)).toThrow(message);
  });
});
