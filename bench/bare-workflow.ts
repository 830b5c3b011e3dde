import { proxyActivities } from '@temporalio/workflow';
import type { OrderState, PlaceOrderInput } from '../src/domain/order';

const { place } = proxyActivities<{ place(order: PlaceOrderInput): Promise<OrderState> }>({
  taskQueue: 'bare.order.place.paper',
  startToCloseTimeout: '20 seconds',
});

/** The same order as a bare Temporal job: one activity, nothing of fillsafe around it. */
export function barePlaceOrder(order: PlaceOrderInput): Promise<OrderState> {
  return place(order);
}
