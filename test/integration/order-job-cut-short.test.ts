import { setTimeout as sleep } from 'node:timers/promises';
import { startWorkerBeside } from '../support/stack';
import { tradingDesk } from '../support/trading-desk';

const desk = tradingDesk();
const { anOrder, clientOrderId, faultOn, outcomeOf, truthOf, startRaw } = desk;

describe('a job that is cancelled', () => {
  test('while its order is under way ends as the order did', async () => {
    const order = anOrder();
    await faultOn(order, { kind: 'delay', ms: 2_000, phase: 'after' });
    const job = await desk.stack.client.submit('order.place', order);
    while ((await truthOf(order)).taken === 0) await sleep(20);
    await desk.stack.client.temporal.workflow.getHandle(job.workflowId).cancel();
    expect(await job.outcome()).toMatchObject({
      status: 'done',
      result: { order: { clientOrderId: clientOrderId(order) } },
    });
  });

  test('and terminated is not reported as refused: nobody but the record knows', async () => {
    const order = anOrder();
    await faultOn(order, { kind: 'delay', ms: 2_000, phase: 'after' });
    const job = await desk.stack.client.submit('order.place', order);
    while ((await truthOf(order)).taken === 0) await sleep(20);
    await desk.stack.client.temporal.workflow.getHandle(job.workflowId).terminate('by hand');
    expect(await job.outcome()).toMatchObject({ status: 'manual', message: expect.stringContaining('guard show') });
  });
});

describe('a cancel of an order that had filled, while the venue lags', () => {
  test('waits until the venue shows how the order ended', async () => {
    const order = anOrder({ type: 'MARKET' });
    delete order.price;
    await faultOn(order, { kind: 'lookup_lag', ms: 3_000 });
    await outcomeOf(order);
    const cancel = { intentId: `c-${order.intentId}`, venue: 'paper', symbol: 'XRPETH', orderIntentId: order.intentId };
    expect(await (await desk.stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({
      status: 'done',
      result: { order: { status: 'FILLED' } },
    });
  });

  test('is refused as GONE when the venue never knew the order', async () => {
    const cancel = { intentId: 'c-never', venue: 'paper', symbol: 'XRPETH', orderIntentId: 'never-placed' };
    expect(await (await desk.stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({
      status: 'refused',
      category: 'GONE',
    });
  });
});

describe('an attempt that Temporal has given up', () => {
  test('never acts, however late it wakes up: its caller was told that nothing happened', async () => {
    const order = anOrder({ type: 'MARKET' });
    delete order.price;
    await faultOn(order, { kind: 'black_hole' });
    const job = await desk.stack.client.submit('order.place', order);
    while ((await truthOf(order)).requests === 0) await sleep(20);
    const pid = desk.stack.stack.pid('worker')!;
    process.kill(pid, 'SIGSTOP');
    try {
      const second = await startWorkerBeside(desk.stack);
      try {
        expect(await job.outcome()).toMatchObject({ status: 'refused', category: 'NOT_EXECUTED' });
        process.kill(pid, 'SIGCONT');
        const { failure } = await startRaw(`again:${order.intentId}`, order);
        expect(failure).toMatchObject({ type: 'NOT_EXECUTED' });
        expect(await truthOf(order)).toMatchObject({ taken: 0, requests: 1 });
      } finally {
        await second();
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
