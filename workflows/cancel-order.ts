import { proxyActivities } from '@temporalio/workflow';
import type { CancelOrderInput, OrderResult } from '../src/domain/order';

// Timeouts, retries and look-ups come from policy, by fillsafe's workflow interceptor.
const { cancelOrder: act } = proxyActivities<{ cancelOrder(cancel: CancelOrderInput): Promise<OrderResult> }>({
  startToCloseTimeout: '1 minute',
});

/** Cancels one order and answers with its final state, also when it had filled. Id `cancel:<intentId>`. */
export function cancelOrder(cancel: CancelOrderInput): Promise<OrderResult> {
  return act(cancel);
}
