import { proxyActivities } from '@temporalio/workflow';
import type { OrderResult, PlaceOrderInput } from '../src/domain/order';

// Timeouts, retries and look-ups come from policy, by fillsafe's workflow interceptor.
const { placeOrder: act } = proxyActivities<{ placeOrder(order: PlaceOrderInput): Promise<OrderResult> }>({
  startToCloseTimeout: '1 minute',
});

/** Places one order, once. Id `order:<intentId>`. */
export function placeOrder(order: PlaceOrderInput): Promise<OrderResult> {
  return act(order);
}
