import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { locateTemporal } from '../../src/dev/binaries';
import { WORKFLOW_QUEUE } from '../../src/domain/job-types';
import { runCli } from '../support/run-cli';
import { runProgram } from '../support/run-program';
import { startWorker, testStack, type TestStack } from '../support/stack';

Runtime.install({ logger: new DefaultLogger('ERROR') });
jest.setTimeout(180_000);

describe('a workflow whose history does not replay, as other code has begun it', () => {
  let stack: TestStack;
  let stopWorker: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    stack = await testStack({ configFile: 'test/support/config/quick.yaml', worker: false });
  });
  afterAll(async () => {
    await stopWorker?.();
    await stack?.end();
  });

  const workflow = (id: string, runId?: string) => stack.client.temporal.workflow.getHandle(id, runId);
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds().catch(() => false))) await sleep(50);
  }
  /** Starts a workflow and has other code do its first step; answers its run. */
  async function begunByOtherCode(type: string, workflowId: string, args: unknown[]): Promise<string> {
    const connection = await NativeConnection.connect({ address: stack.stack.info.temporal });
    const workflowsPath = require.resolve('../support/other-code');
    const worker = await Worker.create({ connection, taskQueue: WORKFLOW_QUEUE, workflowsPath });
    const start = () => stack.client.temporal.workflow.start(type, { workflowId, taskQueue: WORKFLOW_QUEUE, args });
    const runId = await worker.runUntil(async () => {
      const { firstExecutionRunId } = await start();
      await until(async () => Number((await workflow(workflowId).describe()).historyLength) > 4);
      return firstExecutionRunId;
    });
    await connection.close();
    return runId;
  }

  test('that keeps the orders to a breaker is failed, and the next one takes them over from Redis', async () => {
    const about = { reason: 'a drill', actor: 'ann' };
    stopWorker = (await startWorker(stack)).stop;
    await stack.client.breaker('paper').override({ action: 'kill', ...about });
    await stopWorker();
    await workflow('breaker:paper').terminate('other code takes over');
    const runId = await begunByOtherCode('breakerControl', 'breaker:paper', []);
    // A worker that starts acts only after it has asked the control workflows: it ends in time only if none is stuck.
    stopWorker = (await startWorker(stack)).stop;
    expect((await workflow('breaker:paper', runId).describe()).status.name).toBe('FAILED');
    await expect(workflow('breaker:paper', runId).result()).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/nondeterminism/i) as string },
    });
    expect(await stack.client.breaker('paper').state()).toMatchObject({
      ...{ standing: 'KILLED', number: 1, inEffect: true, kill: { actor: 'ann' } },
    });
    expect(await stack.client.breaker('paper').override({ action: 'unkill', ...about })).toMatchObject({
      ...{ standing: 'AUTOMATIC', number: 2 },
    });
  });

  test('of an order stays as it is, as nobody may be told that it failed; begun anew it is placed once', async () => {
    await stopWorker?.();
    const order = { venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '23', price: '0.00141' };
    await begunByOtherCode('placeOrder', 'order:stuck', [{ intentId: 'stuck', ...order }]);
    stopWorker = (await startWorker(stack)).stop;
    await workflow('order:stuck').signal('resolve', { decision: 'absent', reason: 'to wake it', actor: 'ann' });
    const about = ['--workflow-id', 'order:stuck', '--address', stack.stack.info.temporal];
    const cli = await locateTemporal(() => undefined);
    const temporal = (...args: string[]) => runProgram(cli, ['workflow', ...args, ...about], {});
    await until(async () => (await temporal('show', '--output', 'json')).stdout.includes('NON_DETERMINISTIC'));
    expect((await workflow('order:stuck').describe()).status.name).toBe('RUNNING');
    const told = await runCli(['job', 'stuck', '--config', stack.stack.info.config]);
    expect(told.stdout).toContain('nothing was tried');
    // And once more, as it would be where the order had been placed before.
    for (const replayed of [false, true]) {
      const reset = await temporal('reset', '--type', 'FirstWorkflowTask', '--reason', 'begun by other code');
      expect(reset).toMatchObject({ code: 0 });
      expect(await workflow('order:stuck').result()).toMatchObject({ status: 'done', replayed });
      expect((await stack.truth()).totals).toMatchObject({ orders: 1, duplicates: 0 });
    }
  });
});
