import { inflightMember, guardKeys, parseInflightMember } from '../../../src/guard/keys';
import { parseRecord } from '../../../src/guard/record';
import { parseBreaker } from '../../../src/breaker/snapshot';

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
    const counts = { calls: 0, failures: 0, slow: 0, own: 0, permits: 0 };
    expect(parseBreaker(null)).toMatchObject({ state: 'CLOSED', since: 0, openUntil: 0, openings: 0, ...counts });
  });

  it('shows what a breaker counted, and what it counts of another version as nothing', () => {
    const lines = [
      '3',
      'OPEN',
      5,
      9,
      1,
      2,
      '',
      '',
      '',
      3,
      12,
      '',
      '',
      '',
      '',
      7,
      'RATE_LIMIT: slow down',
      '4 of 8 failed',
    ];
    const written = [...lines, '7:9', '11:7:3:1:1:1:2:4,10:1:1:0:1:1:1:4'];
    expect(parseBreaker(written.join('\n'))).toEqual({
      ...{ state: 'OPEN', since: 5, openUntil: 9, openings: 2, failedInRow: 3, permits: 1, why: '4 of 8 failed' },
      ...{ holdUntil: 12, holdWhy: 'RATE_LIMIT: slow down', calls: 8, failures: 4, slow: 1, own: 3 },
      slots: [
        { slot: 11, calls: 7, failures: 3, slow: 1, own: 2 },
        { slot: 10, calls: 1, failures: 1, slow: 0, own: 1 },
      ],
    });
    expect(parseBreaker(['2', ...written.slice(1)].join('\n'))).toEqual(parseBreaker(null));
  });
});
