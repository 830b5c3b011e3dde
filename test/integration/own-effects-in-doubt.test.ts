import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Resolution } from '../../src/index';
import { THEIR_QUEUE } from '../support/pay-worker';
import { payday } from '../support/payday';
import { answerLost, requestLost, stuck } from '../support/payouts';

const desk = payday();
const { running, service, aPayout, start, endOf, payAndEnd, untilParked, activitiesOf } = desk;

const receiptOf = (payoutId: string) => ({ receiptId: `r-1-${payoutId}`, amount: '12.50' });

/** A person's decision; the reason that it was refused with, `''` when it was taken. */
async function decide(handle: WorkflowHandle, resolution: Omit<Resolution, 'actor' | 'reason'>): Promise<string> {
  try {
    await handle.executeUpdate('resolve', { args: [{ actor: 'ann', reason: 'asked the bank', ...resolution }] });
    return '';
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    return (error.cause as Error).message;
  }
}

describe('an effect with a look-up', () => {
  test('whose answer was lost is found and not sent again', async () => {
    const { payoutId, ...rest } = aPayout();
    service.script(payoutId, answerLost);
    const handle = await start('payout.send', { payoutId, ...rest });
    expect(await endOf(handle)).toMatchObject({ done: { result: receiptOf(payoutId), replayed: false } });
    expect(service.taken(payoutId)).toEqual([receiptOf(payoutId)]);
    expect(await activitiesOf(handle)).toEqual([
      'payout.send on fillsafe.payout.send.books',
      'lookUp on fillsafe.lookup.books',
    ]);
  });

  test('whose request was lost is sent again, once it is surely absent', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, requestLost);
    expect(await payAndEnd('payout.send', payout)).toMatchObject({ done: { status: 'done' } });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
    expect(service.runsOf(payout.payoutId)).toBe(2);
    expect(service.looksOf(payout.payoutId)).toBeGreaterThanOrEqual(2);
  });

  test('whose worker got stuck after the act is found', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, stuck);
    expect(await payAndEnd('payout.send', payout)).toMatchObject({ done: { result: receiptOf(payout.payoutId) } });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
  });

  test('that threw before it asked its ticket is looked up too: a forgotten pass() looks the same', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, (take) => {
      take();
      return Promise.reject(new Error('socket hang up'));
    });
    expect(await payAndEnd('payout.send', payout)).toMatchObject({ done: { result: receiptOf(payout.payoutId) } });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
  });

  test('ends as NOT_EXECUTED when it is surely absent and onAbsent is "fail", for every caller', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, requestLost);
    const first = await payAndEnd('payout.once', payout);
    expect(first).toMatchObject({
      category: 'NOT_EXECUTED',
      details: { intentId: payout.payoutId, category: 'NOT_EXECUTED', venue: 'books' },
    });
    expect(await payAndEnd('payout.once', payout)).toMatchObject({ category: 'NOT_EXECUTED' });
    expect(service.runsOf(payout.payoutId)).toBe(1);
  });

  test('waits for a person when it is surely absent and onAbsent is "manual", and is sent again when that one says so', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, requestLost);
    const handle = await start('payout.ask', payout);
    expect((await untilParked(handle)).doing).toContain(`no payout ${payout.payoutId} in the books`);
    expect(await decide(handle, { decision: 'absent' })).toBe('');
    expect(await endOf(handle)).toMatchObject({ done: { result: receiptOf(payout.payoutId) } });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
  });

  test('takes its result from the look-up when a person says that it happened', async () => {
    const payout = aPayout();
    let take: () => object = () => ({});
    service.script(payout.payoutId, (reallyTake, ticket) => {
      take = reallyTake;
      return requestLost(reallyTake, ticket);
    });
    const handle = await start('payout.ask', payout);
    await untilParked(handle);
    expect(await decide(handle, { decision: 'done' })).toMatch(/^result: missing, and the look-up did not find it/);
    take();
    expect(await decide(handle, { decision: 'done' })).toBe('');
    expect(await endOf(handle)).toMatchObject({ done: { result: receiptOf(payout.payoutId) } });
  });
});

describe('an effect that cannot be looked up', () => {
  test('is not sent again when its answer was lost: a person says what came of it', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, answerLost);
    const handle = await start('payout.blind', payout);
    expect((await untilParked(handle)).doing).toContain('payout.blind cannot be looked up');
    expect(await decide(handle, { decision: 'done' })).toMatch(/^result: missing: this effect cannot be looked up/);
    expect(await decide(handle, { decision: 'done', result: ['r'] as never })).toContain('result: must be one object');
    const result = { receiptId: 'from-the-statement', amount: '12.50' };
    expect(await decide(handle, { decision: 'done', result })).toBe('');
    expect(await endOf(handle)).toMatchObject({ done: { intentId: payout.payoutId, result, replayed: false } });
    // From now on that is the answer for everyone.
    expect(await payAndEnd('payout.blind', payout)).toMatchObject({ done: { result, replayed: true } });
    expect(service.runsOf(payout.payoutId)).toBe(1);
  });

  test('ends as refused when a person says so', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, answerLost);
    const handle = await start('payout.blind', payout);
    await untilParked(handle);
    expect(await decide(handle, { decision: 'rejected' })).toBe('');
    expect(await endOf(handle)).toMatchObject({ category: 'RESOLVED_REJECTED' });
    expect(await payAndEnd('payout.blind', payout)).toMatchObject({ category: 'RESOLVED_REJECTED' });
    expect(service.runsOf(payout.payoutId)).toBe(1);
  });

  test('is sent again when a person says that it did not happen, not before its request can no longer take effect', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, requestLost);
    const handle = await start('payout.blind', payout);
    await untilParked(handle);
    let refusal = await decide(handle, { decision: 'absent' });
    expect(refusal).toMatch(/^decision: too early for "absent"/);
    for (; refusal !== ''; refusal = await decide(handle, { decision: 'absent' })) await sleep(200);
    expect(await endOf(handle)).toMatchObject({ done: { result: receiptOf(payout.payoutId) } });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
  });
});

test('an effect that does no harm when it happens twice is done again', async () => {
  const payout = aPayout();
  service.script(payout.payoutId, answerLost, answerLost);
  expect(await payAndEnd('payout.notify', payout)).toMatchObject({ done: { result: { amount: '12.50' } } });
  expect(service.taken(payout.payoutId)).toHaveLength(3);
  expect(service.looksOf(payout.payoutId)).toBe(0);
});

test('of two effects that wait under one name a person says which one is meant', async () => {
  const payout = aPayout();
  service.script(payout.payoutId, requestLost, requestLost);
  const handle = await running.client.workflow.start('payTwice', {
    workflowId: `twice-${payout.payoutId}`,
    taskQueue: THEIR_QUEUE,
    args: [payout],
  });
  const { payoutId: intentId } = payout;
  const done = (receiptId: string) => ({ decision: 'done', intentId, result: { receiptId } }) as const;
  let refusal = '';
  while (!refusal.startsWith('jobType:')) refusal = await decide(handle, { ...done('?'), reason: ' ' } as never);
  expect(refusal).toBe(
    `jobType: missing, as several wait: ${[`${intentId} (payout.blind)`, `${intentId} (payout.ask)`].join(', ')}`,
  );
  expect(await decide(handle, { ...done('a'), jobType: 'payout.ask' })).toBe('');
  expect(await decide(handle, done('b'))).toBe('');
  expect(await handle.result()).toEqual(['b', 'a']);
});
