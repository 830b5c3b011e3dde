import { inflightMember, guardKeys, parseInflightMember } from '../../../src/guard/keys';
import { parseRecord } from '../../../src/guard/record';
import { parseBreaker } from '../../../src/breaker/settings';

describe('what Redis holds', () => {
  it('is read with its payload, line breaks and all', () => {
    const lines = [
      '1',
      'DONE',
      '1795473844011382',
      'order:a/run/1',
      '1.n',
      '1:aa',
      '',
      '',
      '1',
      '2',
      '5',
      '9',
      '',
      '',
      '',
      '',
      '',
      '',
    ];
    const record = parseRecord([...lines, '{\n"orderId":\n"7"}'].join('\n'));
    expect(record).toMatchObject({ state: 'DONE', fence: '1795473844011382', sends: 1, attempts: 2, leaseUntil: 0 });
    expect(record.payload).toEqual({ orderId: '7' });
  });

  it.each(['', '2\nDONE', '1\nDONE', 'DONE'])('is refused when it is no record of this version: %j', (raw) => {
    expect(() => parseRecord(raw)).toThrow('no record of fillsafe version 1');
  });

  it('lies below the namespace, all keys of a venue in one slot', () => {
    const keys = guardKeys('ns');
    const ref = { venue: 'paper', jobType: 'order.place', intentId: 'a:b' };
    expect([
      keys.record(ref),
      keys.inflight('paper'),
      keys.audit('paper'),
      keys.breaker('paper', 'order.place'),
    ]).toEqual([
      'ns:{paper}:order.place:a:b',
      'ns:{paper}:inflight',
      'ns:{paper}:audit',
      'ns:{paper}:breaker:order.place',
    ]);
    expect(parseInflightMember(inflightMember(ref))).toEqual({ jobType: 'order.place', intentId: 'a:b' });
  });

  it('shows a breaker that was never written as closed', () => {
    const nothing = { state: 'CLOSED', since: 0, openUntil: 0, openings: 0, calls: 0, failures: 0 };
    expect(parseBreaker(null)).toEqual(nothing);
    expect(parseBreaker('1\nOPEN\n5\n9\n1\n2\n0\n0\n\n10:3:4,11:1:0')).toEqual({
      ...{ state: 'OPEN', since: 5, openUntil: 9, openings: 2, calls: 8, failures: 4 },
    });
  });
});
