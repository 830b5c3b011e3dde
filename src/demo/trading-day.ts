import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import type { FillsafeClient, JobOutcome } from '../client/client';
import { WORKFLOW_QUEUE } from '../domain/job-types';
import { packageRoot } from '../package-root';
import { DOUBLED_INTENT, REFUSED_INTENT } from './scenes';

/** 358 orders that a strategy decided on in January 2018. */
export const ORDERS_FILE = join(packageRoot, 'examples', 'data', 'strategy-orders-2018-01.csv');
const IN_FLIGHT = 50;
const SCENE_ORDERS = 60;

/** The day's orders, and one beside them that breaks the venue's lot size. */
export function ordersOfTheDay(venue: string): Record<string, unknown>[] {
  const rows = parse(readFileSync(ORDERS_FILE), { columns: true }) as Record<string, string>[];
  const [first = {}] = rows;
  return [...rows, { ...first, intentId: REFUSED_INTENT, quantity: '0.00001' }].map((row) => ({ ...row, venue }));
}

/** Orders of the breaker's scene: some of the day's once more, as decisions of their own. */
export function ordersOfTheScene(venue: string): Record<string, unknown>[] {
  const again = ordersOfTheDay(venue).slice(0, SCENE_ORDERS);
  return again.map((order) => ({ ...order, intentId: `breaker-${String(order['intentId'])}` }));
}

/** Submits all orders and waits for their ends; `onEnd` hears of each. `inFlight` are under way at a time. */
export async function submitAll(
  client: FillsafeClient,
  orders: Record<string, unknown>[],
  onEnd: (outcome: JobOutcome) => void,
  inFlight = IN_FLIGHT,
): Promise<JobOutcome[]> {
  const outcomes: JobOutcome[] = [];
  const queue = [...orders];
  const one = async (): Promise<void> => {
    for (let order = queue.shift(); order; order = queue.shift()) {
      const job = await client.submit('order.place', order);
      const outcome = await job.outcome();
      outcomes.push(outcome);
      onEnd(outcome);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return outcomes;
}

/** Kills the worker at the worst moment: when the venue has taken the order and the worker has not heard of it. */
export async function killMidFlight(options: {
  paper: string;
  clientOrderId: string;
  workerPid: () => number | undefined;
  beforeKill: () => Promise<void>;
}): Promise<number | undefined> {
  for (;;) {
    const response = await fetch(`${options.paper}/truth/${options.clientOrderId}`);
    const truth = (await response.json()) as { taken?: number };
    if ((truth.taken ?? 0) > 0) break;
    await sleep(50);
  }
  await options.beforeKill();
  const pid = options.workerPid();
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  return pid;
}

/** Submits an order again that is done: by the same id, and as another workflow of somebody who forgot that id. */
export async function submitTwice(
  client: FillsafeClient,
  orders: Record<string, unknown>[],
): Promise<{ again: JobOutcome; elsewhere: { replayed: boolean; order: { orderId: string } } }> {
  const order = orders.find(({ intentId }) => intentId === DOUBLED_INTENT);
  const again = await (await client.submit('order.place', order)).outcome();
  const elsewhere: { replayed: boolean; order: { orderId: string } } = await client.temporal.workflow.execute(
    'placeOrder',
    {
      workflowId: `somebody-else:${DOUBLED_INTENT}`,
      taskQueue: WORKFLOW_QUEUE,
      args: [order],
    },
  );
  return { again, elsewhere };
}
