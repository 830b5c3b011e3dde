import type { JobOutcome } from '../../src/client/client';
import { clientOrderIdOf } from '../../src/domain/client-order-id';
import { WORKFLOW_QUEUE, workflowIdOf } from '../../src/domain/job-types';
import type { GuardRecord } from '../../src/guard/record';
import { crashLanes, type Lanes } from '../support/crash/lanes';
import { sameAnswer } from '../support/stack';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

const ref = { venue: 'paper', jobType: 'order.place', intentId: 'unsettled' } as const;
const ORDER = { intentId: ref.intentId, venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '23' };

describe('a worker that is killed (-9) while its outbox holds a settlement, as Redis was away when the order was done', () => {
  let lanes: Lanes;
  let proxy: TcpProxy;
  let first: JobOutcome;
  let leftBehind: GuardRecord | undefined;
  let later: object;

  beforeAll(async () => {
    lanes = await crashLanes();
    const url = new URL(lanes.stack.config.redis.url ?? '');
    proxy = await startTcpProxy(Number(url.port));
    url.port = String(proxy.port);
    const lane = await lanes.open('unsettled', { FILLSAFE_REDIS__URL: url.href });
    const worker = await lane.startWorker();

    const workflowId = workflowIdOf('order.place', ref.intentId);
    lane.crash(workflowId, [{ point: 'act: after POST order', signal: 'SIGSTOP' }]);
    const job = await lane.client.submit('order.place', ORDER);
    const pid = await lane.untilStopped(workflowId);
    proxy.close();
    process.kill(pid, 'SIGCONT');
    first = await job.outcome();
    worker.kill();
    leftBehind = await lanes.guard.record(ref);
    proxy.open();
    const options = { workflowId: 'somebody-else', taskQueue: WORKFLOW_QUEUE, args: [ORDER] };
    later = (await lane.client.temporal.workflow.execute('placeOrder', options)) as object;
  }, 180_000);
  afterAll(async () => {
    await lanes.end();
    await proxy.stop();
  }, 60_000);

  test('has answered all the same', () => {
    expect(first).toMatchObject({ status: 'done', result: { order: { status: 'FILLED' } } });
  });

  test('leaves a claim that nobody holds', () => {
    expect(leftBehind?.state).toBe('CLAIMED');
  });

  test('costs a later caller a look-up, not a second order', async () => {
    expect(sameAnswer(later)).toEqual(sameAnswer((first as JobOutcome & { status: 'done' }).result));
    const id = clientOrderIdOf({ namespace: lanes.stack.config.retry.redis.namespace, ...ref });
    const response = await fetch(`${lanes.stack.stack.info.paper}/truth/${id}`);
    expect(await response.json()).toMatchObject({ taken: 1, requests: 1 });
    expect(await lanes.guard.record(ref)).toMatchObject({ state: 'DONE' });
  });
});
