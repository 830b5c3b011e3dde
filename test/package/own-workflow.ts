import { proxyActivities } from '@temporalio/workflow';
import type { OrderResult, PlaceOrderInput } from '../../src/index';

const { placeOrder, greet } = proxyActivities<{
  placeOrder(order: PlaceOrderInput): Promise<OrderResult>;
  greet(name: string): Promise<void>;
}>({ startToCloseTimeout: '10 seconds' });

/** A workflow of somebody who uses fillsafe as a library. */
export async function buyAndGreet(order: PlaceOrderInput): Promise<OrderResult> {
  const result = await placeOrder(order);
  await greet(result.order.orderId);
  return result;
}
