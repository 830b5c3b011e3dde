import type { JobState } from '../../../src/client/job-history';
import { compareIntent, isUnresolved, type KnownIntent } from '../../../src/client/reconcile-compare';
import type { OrderResult } from '../../../src/domain/order';
import type { VenueOrder } from '../../../src/venues/port';

const ORDER: VenueOrder = {
  ...{ orderId: '7', clientOrderId: 'fsa', status: 'FILLED', executedQuantity: '23', averagePrice: '0.1', fills: [] },
  ...{ symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23.00', price: '0.10000', time: 0 },
};
const INPUT = { symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.1' };
const DONE: JobState = { status: 'done', result: { order: { orderId: '7' } } as OrderResult };
const REFUSED: JobState = { status: 'refused', category: 'NOT_EXECUTED', message: '' };

const intent = (state: JobState, record?: string): KnownIntent => ({
  ...{ intentId: 'a', workflowId: 'order:a', clientOrderId: 'fsa', input: INPUT, state },
  ...(record === undefined ? {} : { record }),
});
const kinds = (known: KnownIntent, ...orders: VenueOrder[]): string[] =>
  compareIntent(known, orders, 'paper').map(({ kind }) => kind);

describe('comparing an intent with the venue', () => {
  it('finds nothing wrong with the order that the job tells, however its amounts are written', () => {
    expect(kinds(intent(DONE), ORDER)).toEqual([]);
    expect(kinds(intent(REFUSED))).toEqual([]);
  });

  it('finds a second order of one intent', () => {
    expect(kinds(intent(DONE), ORDER, { ...ORDER, orderId: '8' })).toEqual(['duplicate']);
  });

  it('finds a done job without an order, and a refused job with one', () => {
    expect(kinds(intent(DONE))).toEqual(['missing']);
    expect(kinds(intent(REFUSED), ORDER)).toEqual(['unexpected']);
  });

  it('finds another order than the one that the job tells', () => {
    expect(kinds(intent(DONE), { ...ORDER, orderId: '8' })).toEqual(['mismatch']);
  });

  it.each([
    ['side', 'SELL'],
    ['quantity', '23.1'],
    ['price', '0.2'],
    ['symbol', 'XRPBTC'],
  ])('finds another %s, with both values', (field, value) => {
    const [row] = compareIntent(intent(DONE), [{ ...ORDER, [field]: value }], 'paper');
    expect(row?.kind).toBe('mismatch');
    expect(row?.what).toContain(`${field} ${value}`);
  });

  it('counts a job that runs, and only tells it once its outcome is in doubt', () => {
    const running = intent({ status: 'running' });
    expect(isUnresolved(running)).toBe(true);
    expect(kinds(running)).toEqual([]);
    expect(kinds(intent({ status: 'running' }, 'CLAIMED'), ORDER)).toEqual([]);
    expect(kinds(intent({ status: 'running' }, 'RECONCILING'))).toEqual(['unknown']);
    expect(kinds(intent({ status: 'manual', evidence: 'two answers' }))).toEqual(['unknown']);
    expect(kinds(intent({ status: 'cut off', how: 'TERMINATED' }), ORDER)).toEqual(['unknown']);
  });
});
