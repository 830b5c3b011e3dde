import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { JobOutcome } from '../../src/client/client';
import { clientOrderIdOf } from '../../src/domain/client-order-id';
import { WORKFLOW_QUEUE } from '../../src/domain/job-types';
import type { OrderResult, PlaceOrderInput } from '../../src/domain/order';
import { testStack, type TestStack } from './stack';

/**
 * What a test of orders does all the time, on a stack with short deadlines that lives as long as the test file. `prepare` runs
 * before it and answers settings of its environment.
 */
export function tradingDesk({ prepare }: { prepare?: () => Promise<Record<string, string>> } = {}) {
  let stack: TestStack;
  let count = 0;

  beforeAll(async () => {
    stack = await testStack({ configFile: 'test/support/config/quick.yaml', settings: (await prepare?.()) ?? {} });
  }, 120_000);
  afterAll(() => stack.end());
  afterEach(() => stack.clearFaults());

  function anOrder(over: Partial<PlaceOrderInput> = {}): PlaceOrderInput {
    const intentId = `job-${(count += 1)}`;
    return {
      intentId,
      venue: 'paper',
      symbol: 'XRPETH',
      side: 'BUY',
      type: 'LIMIT',
      quantity: '23',
      price: '0.00141',
      ...over,
    };
  }

  function clientOrderId({ intentId }: PlaceOrderInput): string {
    return clientOrderIdOf({ namespace: stack.config.retry.redis.namespace, venue: 'paper', intentId });
  }

  function faultOn(order: PlaceOrderInput, fault: object): Promise<void> {
    const match = { method: 'POST', path: '/api/v3/order', clientOrderId: clientOrderId(order) };
    return stack.addFaults([{ times: 1, ...fault, match }]);
  }

  async function outcomeOf(order: unknown): Promise<JobOutcome> {
    return (await stack.client.submit('order.place', order)).outcome();
  }

  async function truthOf(order: PlaceOrderInput): Promise<{ taken: number; requests: number; lookups: number }> {
    const response = await fetch(`${stack.stack.info.paper}/truth/${clientOrderId(order)}`);
    return (await response.json()) as { taken: number; requests: number; lookups: number };
  }

  async function untilParked(order: PlaceOrderInput): Promise<void> {
    while ((await stack.client.status('order.place', order.intentId)).stage !== 'parked') await sleep(50);
  }

  /** Starts the workflow as any client of any language would, past every check of the typed client. */
  async function startRaw(
    workflowId: string,
    input: unknown,
  ): Promise<{ result?: OrderResult; failure?: ApplicationFailure }> {
    try {
      const options = { workflowId, taskQueue: WORKFLOW_QUEUE, args: [input] };
      return { result: (await stack.client.temporal.workflow.execute('placeOrder', options)) as OrderResult };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
      return { failure: error.cause };
    }
  }

  return {
    get stack() {
      return stack;
    },
    anOrder,
    clientOrderId,
    faultOn,
    outcomeOf,
    truthOf,
    untilParked,
    startRaw,
  };
}
