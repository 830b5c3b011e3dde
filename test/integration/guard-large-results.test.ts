import type { Redis } from 'ioredis';
import { wholeOrder } from '../../activities/kept-order';
import type { Fill, OrderState } from '../../src/domain/order';
import { MOST_KEPT_BYTES } from '../../src/guard/serialise';
import { orderStateOf, type VenueOrder, type VenuePort } from '../../src/venues/port';
import { effectHarness, ORDER, venueSays } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';
import { scriptedVenue } from '../support/scripted-venue';

/** An order that traded against forty others at once, as its venue tells it. */
const fill = (_: unknown, at: number): Fill => ({
  ...{ tradeId: String(7_000 + at), price: '0.00141', quantity: '0.5' },
  ...{ fee: '0.0005', feeAsset: 'XRP', time: 1_514_764_800_000 },
});
const FILLED: VenueOrder = {
  ...{ orderId: '7', clientOrderId: 'fs1', status: 'PARTIALLY_FILLED', executedQuantity: '20' },
  ...{ averagePrice: '0.00141', fills: Array.from({ length: 40 }, fill) },
  ...{ symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141', time: 1_514_764_800_000 },
};

describe('an order with more fills than a record keeps', () => {
  let server: TestRedis;
  let redis: Redis;
  let job: ReturnType<typeof effectHarness>;
  /** What the venue tells of the order by now. */
  let told: VenueOrder | undefined | Error;

  beforeAll(async () => {
    server = await startTestRedis();
    redis = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    job = effectHarness(redis, { namespace: server.namespace() });
    const findOrder = () => (told instanceof Error ? Promise.reject(told) : Promise.resolve(told));
    const venue = { findOrder } as Partial<VenuePort> as VenuePort;
    job.effects['order.place'].recall = (_input, kept) => wholeOrder(() => venue, ORDER.symbol, kept);
    told = FILLED;
    const first = await job.attempt({
      act: (ticket) => {
        ticket.pass();
        return Promise.resolve(orderStateOf(FILLED));
      },
    });
    expect(first.result?.['order']).toEqual(orderStateOf(FILLED));
  });

  const repeated = async () => (await job.attempt({ runId: 'run-2' })).result?.['order'] as OrderState;

  it('is kept without them, and every caller gets them all', async () => {
    const { payload } = (await job.record())!;
    expect(payload).toMatchObject({ orderId: '7', executedQuantity: '20', fillCount: 40 });
    expect(payload).not.toHaveProperty('fills');
    expect(JSON.stringify(payload).length).toBeLessThan(MOST_KEPT_BYTES / 10);
    expect(await repeated()).toEqual(orderStateOf(FILLED));
    expect(job.seen.sends).toBe(1);
  });

  it('is answered as it was, also when more of it has traded since', async () => {
    const later = [...FILLED.fills, { ...FILLED.fills[0]!, tradeId: '8000', quantity: '3' }];
    told = { ...FILLED, status: 'FILLED', executedQuantity: '23', fills: later };
    expect(await repeated()).toEqual(orderStateOf(FILLED));
  });

  it.each<[string, VenueOrder | undefined | Error]>([
    ['does not answer', venueSays({ operation: 'query', phase: 'before_send', code: 'ECONNREFUSED' })],
    ['does not show the order', undefined],
    ['shows less than it had executed', { ...FILLED, fills: FILLED.fills.slice(1) }],
  ])('is never told as anything but done: the look-up asks on while the venue %s', async (_what, answer) => {
    told = answer;
    const { failure } = await job.attempt({ runId: 'run-2' });
    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(failure?.message).toContain('it is done, but not to be read again yet');
    const venue = scriptedVenue();
    await expect(venue.look(job, 'f1')).rejects.toMatchObject({
      message: expect.stringContaining('it is done, but not to be read again yet'),
      nonRetryable: false,
    });
    told = FILLED;
    expect(await venue.look(job, 'f1')).toMatchObject({ outcome: 'done', result: { order: orderStateOf(FILLED) } });
    expect(job.seen.sends).toBe(1);
  });
});
