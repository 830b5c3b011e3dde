import { checkRow, defaultVenue } from '../../../src/cli/check-row';
import { worst } from '../../../src/cli/exit-codes';
import { exitCodeOf, inWords, type JobLine } from '../../../src/cli/job-line';
import { progressText } from '../../../src/cli/progress';
import { facts, table } from '../../../src/cli/table';
import { loadConfig } from '../../../src/config/load';

const line = (more: Partial<JobLine>): JobLine => ({ intentId: 'a', workflowId: 'order:a', status: 'done', ...more });
const VENUE = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };

describe('exit codes', () => {
  it.each([
    [{ status: 'done' }, 0],
    [{ status: 'started' }, 0],
    [{ status: 'refused', category: 'FUNDS' }, 1],
    [{ status: 'refused', category: 'NOT_EXECUTED' }, 1],
    [{ status: 'refused', category: 'CONFLICT' }, 3],
    [{ status: 'refused', category: 'EXPIRED' }, 3],
    [{ status: 'running' }, 3],
    [{ status: 'manual' }, 4],
  ] as const)('%j ends with %d', (state, code) => {
    expect(exitCodeOf(line(state))).toBe(code);
  });

  it('takes the worst of a batch: a person, then a failure, then a hold', () => {
    expect(worst([0, 3, 1, 0])).toBe(1);
    expect(worst([3, 0])).toBe(3);
    expect(worst([1, 4, 3])).toBe(4);
  });
});

describe('rows', () => {
  const input = { intentId: 'a', symbol: 'ADABTC', side: 'BUY', type: 'LIMIT', quantity: '1', price: '1' };
  const config = loadConfig({ env: {}, flags: { venues: { paper: VENUE, live: { ...VENUE, lane: 'live' } } } });

  it('gets the asked venue where it names none, and keeps its own', () => {
    const check = (row: object) =>
      checkRow({ line: 1, input: row }, { config, jobType: 'order.place', venue: 'paper' });
    expect(check(input)).toMatchObject({ input: { venue: 'paper' } });
    expect(check({ ...input, venue: 'live' })).toMatchObject({ refused: { category: 'LANE', intentId: 'a' } });
    expect(check({ ...input, venue: 'none' })).toMatchObject({
      refused: { category: 'INVALID', message: expect.stringContaining('configured are: paper, live') as string },
    });
  });

  it('has no venue by default where two are configured', () => {
    expect(defaultVenue(config, undefined)).toBeUndefined();
    const one = loadConfig({ env: {}, flags: { venues: { paper: VENUE } } });
    expect(defaultVenue(one, undefined)).toBe('paper');
  });
});

describe('what people read', () => {
  it('says a done job with its order, and an earlier answer as such', () => {
    const order = {
      orderId: '7',
      clientOrderId: 'x',
      status: 'FILLED',
      executedQuantity: '23',
      averagePrice: '0.1',
      fills: [],
    };
    const result = { intentId: 'a', status: 'done', order, replayed: true, attempts: 1 } as const;
    expect(inWords(line({ result, replayed: true }))).toBe(
      'done: order 7 FILLED, 23 executed at 0.1 (an earlier submit is answered)',
    );
  });

  it('aligns columns and cuts what is too long', () => {
    expect(table(['a', 'long name', 'c'], [['1', '2', 'x'.repeat(90)]])).toBe(
      `a  long name  c\n1  2          ${'x'.repeat(90)}`,
    );
    expect(table(['a', 'b'], [['x'.repeat(9), 'y']], { widest: 4 })).toBe('a     b\nxxx…  y');
    expect(
      facts([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toBe('  a     1\n  long  2');
  });

  it('draws progress only where the whole is known', () => {
    const tally = { read: 4, started: 3, done: 1, refused: 1, manual: 0 };
    expect(progressText(tally, 4, { waits: true, elapsedMs: 2_000 })).toBe(
      '[##############--------------] 2 of 4 jobs ended, 1 under way, 1 refused, 2 s',
    );
    expect(progressText(tally, undefined, { waits: false, elapsedMs: 2_000 })).toBe('3 jobs started, 1 refused, 2 s');
  });
});
