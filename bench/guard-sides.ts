import { performance } from 'node:perf_hooks';
import { MockActivityEnvironment } from '@temporalio/testing';
import { fingerprintOf } from '../src/domain/fingerprint';
import type { OrderState } from '../src/domain/order';
import { guardKeys, type IntentRef } from '../src/guard/keys';
import { AdmissionInterceptor } from '../src/interceptors/admission';
import { breakerLevels, jobPolicy, quiesceMs, venueTimes } from '../src/policy/job-policy';
import type { Services } from '../src/worker/services';
import { benchOrder } from './services';

/** What the act would have answered; its text is what the record of a finished effect keeps. */
const ANSWER: OrderState = {
  orderId: '81985123',
  clientOrderId: 'fs1f47ac10b58cc',
  status: 'FILLED',
  executedQuantity: '23',
  averagePrice: '0.00141',
  fills: [],
};
export const RESULT = JSON.stringify(ANSWER);
const RUN_ID = '018c2f6e-7b1a-7c3e-9f00-1234567890ab';

export const placing = (intentId: string): IntentRef => ({ venue: 'paper', jobType: 'order.place', intentId });

/** One effect each, given an intent id: all against the same Redis, over the same connection, one at a time. */
export function guardSides({ redis, runtime }: Services) {
  const { config, guard } = runtime;
  const quiet = quiesceMs(venueTimes(config, 'paper'));
  const levels = breakerLevels(config, { jobType: 'order.place' });
  const mostSends = jobPolicy(config, 'order.place').most_sends;
  const fingerprint = fingerprintOf(benchOrder(''));
  const bareKeys = guardKeys('bare');
  const { context } = new MockActivityEnvironment({
    ...{ attempt: 1, activityType: 'placeOrder', activityId: '1', heartbeatTimeoutMs: 5_000 },
    workflowExecution: { workflowId: 'order:bench', runId: RUN_ID },
  });

  async function effect(intentId: string, hasBreaker: boolean): Promise<void> {
    const ref = placing(intentId);
    const owner = { activity: `order:${intentId}/${RUN_ID}/1`, attempt: 1, nonce: 'cafebabe' };
    const admission = await guard.admit(ref, {
      ...{ owner, fingerprint, leaseMs: quiet + 2_000, quiesceMs: quiet, knownUnsent: false, mostSends },
      breaker: hasBreaker ? { levels, held: true, canProbe: true } : undefined,
    });
    if (admission.kind !== 'GO') throw new Error(`a new intent was answered ${admission.kind}`);
    const goneAt = performance.now();
    const { kind } = await guard.settle(ref, {
      ...{ fence: admission.fence, ending: 'done', payload: RESULT, quiesceMs: quiet },
      breaker: hasBreaker ? { levels, health: 'ok', worker: 0 } : undefined,
      elapsedMs: performance.now() - goneAt,
    });
    if (kind !== 'OK') throw new Error(`the end of a claimed act was answered ${kind}`);
  }

  return {
    /** What no guard can do without: the claim is on disk before the act, and its end after it. */
    bare: (value: string) => async (intentId: string) => {
      const key = bareKeys.record(placing(intentId));
      await redis.set(key, value);
      await redis.set(key, value);
    },

    guarded: (intentId: string) => effect(intentId, true),

    /** The guard without a breaker. */
    unbroken: (intentId: string) => effect(intentId, false),

    /** The way of an order through a worker, but for Temporal and the venue. */
    intercepted: async (intentId: string) => {
      const input = { args: [benchOrder(intentId)], headers: {} };
      await new AdmissionInterceptor(context, runtime).execute(input, () => Promise.resolve(ANSWER));
    },
  };
}
