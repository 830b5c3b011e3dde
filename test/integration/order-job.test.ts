import { setTimeout as sleep } from 'node:timers/promises';
import { createVenues } from '../../src/venues/create-venues';
import type { VenuePort } from '../../src/venues/port';
import type { Resolution } from '../../src/domain/job-plan';
import type { OrderResult, PlaceOrderInput } from '../../src/domain/order';
import { tradingDesk } from '../support/trading-desk';

const desk = tradingDesk();
const { anOrder, clientOrderId, faultOn, outcomeOf, truthOf, untilParked, startRaw } = desk;
let venue: VenuePort;

beforeAll(async () => {
  venue = createVenues(desk.stack.config).get('paper') as VenuePort;
  await venue.syncClock();
});

/** So far from the market that the order rests and the market does not follow. */
const RESTS_AT = '0.0004';

describe('an order at a venue that answers', () => {
  test('is placed with one request, and no look-up', async () => {
    const order = anOrder();
    const outcome = await outcomeOf(order);
    expect(outcome).toMatchObject({
      status: 'done',
      result: {
        intentId: order.intentId,
        status: 'done',
        replayed: false,
        attempts: 1,
        order: { clientOrderId: clientOrderId(order) },
      },
    });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 1, lookups: 0 });
  });

  test('is answered again, not placed again, when it is submitted again', async () => {
    const order = anOrder();
    const first = await outcomeOf(order);
    const second = await outcomeOf({ ...order, quantity: '23.00', decidedAt: 1_515_568_500_000 });
    expect(second).toEqual({ ...first, result: { ...(first as { result: OrderResult }).result, replayed: true } });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 1 });
  });

  test('is answered from the record when another workflow asks for the same intent', async () => {
    const order = anOrder();
    const first = await outcomeOf(order);
    const { result } = await startRaw(`somebody-else:${order.intentId}`, order);
    expect(result).toMatchObject({ replayed: true, order: (first as { result: OrderResult }).result.order });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 1 });
  });

  test('is refused as CONFLICT under the same intent with another quantity, by the client and by the guard', async () => {
    const order = anOrder();
    await outcomeOf(order);
    await expect(outcomeOf({ ...order, quantity: '24' })).rejects.toMatchObject({ type: 'CONFLICT' });
    const { failure } = await startRaw(`conflict:${order.intentId}`, { ...order, quantity: '24' });
    expect(failure).toMatchObject({ type: 'CONFLICT', message: expect.stringContaining(order.intentId) });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 1 });
  });

  test("is refused with the venue's code when it breaks a filter, and stays refused", async () => {
    const order = anOrder({ quantity: '0.00001' });
    expect(await outcomeOf(order)).toMatchObject({ status: 'refused', category: 'INVALID' });
    const { failure } = await startRaw(`again:${order.intentId}`, order);
    expect(failure).toMatchObject({ type: 'INVALID', details: [{ intentId: order.intentId, venue: 'paper' }] });
    expect(await truthOf(order)).toMatchObject({ taken: 0, requests: 1 });
  });

  test('is not sent after its own deadline', async () => {
    const order = anOrder({ expiresAt: Date.now() - 60_000 });
    expect(await outcomeOf(order)).toMatchObject({ status: 'refused', category: 'EXPIRED' });
    expect(await truthOf(order)).toMatchObject({ taken: 0, requests: 0 });
  });
});

describe('an order whose answer is lost', () => {
  test.each([
    ['the connection broke after the venue took it', { kind: 'drop_after' }],
    ['the venue said 503 and took it', { kind: 'error_5xx_executed' }],
    ['the answer was cut off', { kind: 'corrupt' }],
    ['the venue took it late', { kind: 'late_execution', ms: 1_000, answer: 'error' }],
  ])('is found by a look-up and not sent again: %s', async (_what, fault) => {
    const order = anOrder();
    await faultOn(order, fault);
    expect(await outcomeOf(order)).toMatchObject({
      status: 'done',
      result: { order: { clientOrderId: clientOrderId(order) } },
    });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 1 });
  });

  test('is not believed absent while the venue lags', async () => {
    const order = anOrder();
    await faultOn(order, { kind: 'drop_after' });
    await faultOn(order, { kind: 'lookup_lag', ms: 2_500 });
    expect(await outcomeOf(order)).toMatchObject({ status: 'done' });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 1 });
  });

  test.each([
    ['the connection broke before the venue had it', { kind: 'drop_before' }],
    ['the venue said 503 and did nothing', { kind: 'error_5xx_not_executed' }],
  ])('is sent again with the same id when it can rest and is surely absent: %s', async (_what, fault) => {
    const order = anOrder();
    await faultOn(order, fault);
    expect(await outcomeOf(order)).toMatchObject({ status: 'done', result: { attempts: 2 } });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 2 });
  });

  test('is not sent again when it fills at once: the caller is told that it was not executed', async () => {
    const order = anOrder({ type: 'MARKET' });
    delete order.price;
    await faultOn(order, { kind: 'drop_before' });
    expect(await outcomeOf(order)).toMatchObject({ status: 'refused', category: 'NOT_EXECUTED' });
    expect(await truthOf(order)).toMatchObject({ taken: 0, requests: 1 });
  });
});

/** Whether a decision was refused because the last request may still act; anything else that went wrong is thrown on. */
function isEarly(error: Error): boolean {
  if (!String((error.cause as Error | undefined)?.message).includes('too early')) throw error;
  return false;
}

describe('an order that only a person can decide', () => {
  /** The venue holds another order under the id that ours would have. */
  async function contradicted(): Promise<PlaceOrderInput> {
    const order = anOrder({ price: RESTS_AT, quantity: '30' });
    await venue.placeOrder({ ...order, quantity: '40' }, clientOrderId(order), () => undefined);
    await desk.stack.client.submit('order.place', order);
    await untilParked(order);
    return order;
  }

  /** Decides against what the venue shows: refused once, with what it shows, and taken with the code of that refusal. */
  async function decideAllTheSame(order: PlaceOrderInput, resolution: Resolution): Promise<void> {
    const decide = (confirm?: string): Promise<unknown> =>
      desk.stack.client.resolve('order.place', order.intentId, { ...resolution, ...(confirm && { confirm }) });
    const refusal = await decide().then(
      () => 'taken at once',
      (error: { cause?: Error }) => String(error.cause?.message),
    );
    expect(refusal).toContain('shows what does not fit');
    await expect(decide('000000')).rejects.toMatchObject({ cause: { message: refusal } });
    await decide(/confirm "(\w+)"/.exec(refusal)?.[1]);
  }

  test('parks, says why, and ends by the update "resolve"', async () => {
    const order = await contradicted();
    expect(await desk.stack.client.job('order.place', order.intentId)).toMatchObject({ status: 'manual' });
    const status = await desk.stack.client.status('order.place', order.intentId);
    expect(status.doing).toMatch(/under our id/);
    const resolution = { reason: 'looked at the venue', actor: 'ann' };
    await expect(
      desk.stack.client.resolve('order.place', order.intentId, { ...resolution, decision: 'done' }),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('orderId') } });
    await decideAllTheSame(order, { ...resolution, decision: 'rejected' });
    expect(await outcomeOf(order)).toMatchObject({ status: 'refused', category: 'RESOLVED_REJECTED' });
  });

  test('ends by the signal "resolve" too, with the venue\'s order as its result', async () => {
    const order = await contradicted();
    const known = await venue.findOrder('XRPETH', { clientOrderId: clientOrderId(order) });
    const handle = desk.stack.client.temporal.workflow.getHandle(`order:${order.intentId}`);
    await handle.signal('resolve', { decision: 'perhaps', reason: 'r', actor: 'bob' });
    await handle.signal('resolve', { decision: 'done', reason: 'it is ours', actor: 'bob', orderId: known?.orderId });
    expect(await handle.result()).toMatchObject({ status: 'done', order: { orderId: known?.orderId } });
  });

  test('is decided also while the venue takes longer to answer than a worker may be silent', async () => {
    const order = await contradicted();
    const { orderId } = (await venue.findOrder('XRPETH', { clientOrderId: clientOrderId(order) }))!;
    const match = { method: 'GET', path: '/api/v3/order' };
    await desk.stack.addFaults([{ kind: 'delay', ms: 4_000, phase: 'after', match }]);
    const resolution = { decision: 'done', reason: 'it is ours', actor: 'ann', orderId } as const;
    await desk.stack.client.resolve('order.place', order.intentId, resolution);
    expect(await outcomeOf(order)).toMatchObject({ status: 'done', result: { order: { orderId } } });
  });

  test('and that did not happen, as a person says, does not happen for a later caller either', async () => {
    const order = anOrder({ type: 'MARKET', quantity: '30' });
    delete order.price;
    await venue.placeOrder({ ...order, quantity: '40' }, clientOrderId(order), () => undefined);
    await faultOn(order, { kind: 'drop_before' });
    const job = await desk.stack.client.submit('order.place', order);
    await untilParked(order);
    const resolution = { decision: 'absent', reason: 'the other one is mine', actor: 'ann' } as const;
    const decide = (): Promise<unknown> => decideAllTheSame(order, resolution);
    // Refused as long as the request could still take effect.
    while (!(await decide().then(() => true, isEarly))) await sleep(200);
    expect(await job.outcome()).toMatchObject({ status: 'refused', category: 'NOT_EXECUTED' });
    const { failure } = await startRaw(`again:${order.intentId}`, order);
    expect(failure).toMatchObject({ type: 'NOT_EXECUTED' });
    expect(await truthOf(order)).toMatchObject({ taken: 1, requests: 2 });
  });
});

describe('a cancel', () => {
  test('answers with the final state of the order', async () => {
    const order = anOrder({ price: RESTS_AT });
    await outcomeOf(order);
    const cancel = { intentId: `c-${order.intentId}`, venue: 'paper', symbol: 'XRPETH', orderIntentId: order.intentId };
    const job = await desk.stack.client.submit('order.cancel', cancel);
    expect(await job.outcome()).toMatchObject({ status: 'done', result: { order: { status: 'CANCELED' } } });
  });

  test('answers with the final state also when the order had filled', async () => {
    const order = anOrder({ type: 'MARKET' });
    delete order.price;
    await outcomeOf(order);
    const cancel = { intentId: `c-${order.intentId}`, venue: 'paper', symbol: 'XRPETH', orderIntentId: order.intentId };
    expect(await (await desk.stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({
      status: 'done',
      result: { order: { status: 'FILLED', executedQuantity: '23' } },
    });
  });
});

describe('bad input', () => {
  test.each([
    ['a missing field', { symbol: undefined }, 'INVALID', 'symbol'],
    ['an unknown field', { colour: 'blue' }, 'INVALID', 'colour'],
    ['a numeric amount', { quantity: 23 }, 'INVALID', 'quantity'],
    ['a negative amount', { price: '-1' }, 'INVALID', 'price'],
    ['float noise', { quantity: '0.30000000000000004' }, 'INVALID', 'quantity'],
    ['a venue that is not configured', { venue: 'nowhere' }, 'INVALID', 'nowhere'],
    ['a live venue from the paper lane', { venue: 'elsewhere' }, 'LANE', 'elsewhere'],
  ])(
    '%s is refused by the client and again by the worker, and nothing is claimed or sent',
    async (_what, over, type, names) => {
      const order = anOrder(over as Partial<PlaceOrderInput>);
      await expect(outcomeOf(order)).rejects.toThrow(names);
      const { failure } = await startRaw(`order:${order.intentId}`, order);
      expect(failure).toMatchObject({ type, message: expect.stringContaining(names) });
      expect(await truthOf(order)).toMatchObject({ taken: 0, requests: 0 });
    },
  );

  test('null from other languages is as absent', async () => {
    const order = anOrder();
    const { result } = await startRaw(`order:${order.intentId}`, { ...order, stopPrice: null, expiresAt: null });
    expect(result).toMatchObject({ status: 'done' });
  });

  test('a submit with another payload conflicts also with a job that was started by hand', async () => {
    const order = anOrder();
    await startRaw(`order:${order.intentId}`, order);
    await expect(outcomeOf({ ...order, price: '0.00142' })).rejects.toMatchObject({ type: 'CONFLICT' });
  });
});

describe('what the Temporal UI shows', () => {
  test('summary, search attributes and the story of a lost answer', async () => {
    const order = anOrder();
    await faultOn(order, { kind: 'drop_after' });
    await outcomeOf(order);
    const handle = desk.stack.client.temporal.workflow.getHandle(`order:${order.intentId}`);
    const described = await handle.describe();
    expect(await described.staticSummary()).toBe('BUY 23 XRPETH @ 0.00141 on paper');
    expect(described.searchAttributes).toMatchObject({
      FillsafeJobType: ['order.place'],
      FillsafeVenue: ['paper'],
      FillsafeSymbol: ['XRPETH'],
      FillsafeIntent: [order.intentId],
      FillsafeOutcome: ['done'],
    });
    const metadata = await handle.query('__temporal_workflow_metadata');
    expect(JSON.stringify(metadata)).toMatch(/answer lost: .*asking paper whether/);
  });
});
