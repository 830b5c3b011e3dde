import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { JobOutcome } from '../../../src/client/client';
import { clientOrderIdOf } from '../../../src/domain/client-order-id';
import { JOBS, WORKFLOW_QUEUE, workflowIdOf, type JobType } from '../../../src/domain/job-types';
import type { PlaceOrderInput } from '../../../src/domain/order';
import type { JobInput } from '../../../src/domain/order.schema';
import { sameAnswer } from '../stack';
import { nameOf, type Journey } from './journeys';
import type { Lane, Lanes } from './lanes';

/** A journey that is cut at a point by kill -9; not cut where there is none. */
export interface CrashCase {
  journey: Journey;
  point?: string;
}

export interface CaseEnd {
  name: string;
  point: string;
  /** How the job ended, for people. */
  ended: string;
  /** What is wrong with it. */
  problems: string[];
  /** Points passed, each named once. */
  passed: Set<string>;
}

type Bench = Pick<Lanes, 'stack' | 'guard' | 'venue'>;

interface OrderTruth {
  taken: number;
  requests: number;
  orders: { orderId: number; status: string }[];
}

const CASE_LIMIT_MS = 90_000;
/** So far from the market that the order rests and the market does not follow. */
const RESTS_AT = '0.0004';
let cases = 0;

/** Runs a journey to its end, with its crash, and compares what its callers were told with what the venue knows. */
export async function runCase(bench: Bench, { lane }: { lane: Lane }, { journey, point }: CrashCase): Promise<CaseEnd> {
  const intentId = `crash-${(cases += 1)}`;
  const jobType: JobType = journey.act === 'cancel' ? 'order.cancel' : 'order.place';
  const workflowId = workflowIdOf(jobType, intentId);
  const problems: string[] = [];
  if (point !== undefined) lane.crash(workflowId, [{ point, signal: 'SIGKILL' }]);
  const end = (ended: string, wrong: string[]): CaseEnd => {
    const passed = lane.passed(workflowId).map((each) => each.point);
    const crashed = passed.includes('SIGKILL');
    if (crashed !== (point !== undefined)) wrong.push(`was ${crashed ? '' : 'not '}killed`);
    if (wrong.length > 0) wrong.push(`${intentId} passed ${passed.join(' | ')}`);
    return { name: nameOf(journey), point: point ?? 'nowhere', ended, problems: wrong, passed: new Set(passed) };
  };
  const late = sleep(CASE_LIMIT_MS, undefined, { ref: false }).then(() =>
    end('running', [`has not ended after ${CASE_LIMIT_MS / 1_000} s`]),
  );
  const run = async (): Promise<CaseEnd> => {
    const id = clientOrderIdOf({ namespace: lane.config.retry.redis.namespace, venue: 'paper', intentId });
    const input = await prepare(bench, journey, intentId, id);
    const job = await lane.client.submit(jobType, input);
    const outcome = await endOf(bench, lane, { journey, jobType, id }, job.outcome, problems);
    const second = await askAgain(lane, jobType, input);
    if (JSON.stringify(second) !== JSON.stringify(answerOf(outcome)))
      problems.push(`a second caller was told ${JSON.stringify(second)}`);
    const record = await bench.guard.record({ venue: 'paper', jobType, intentId });
    if (!['DONE', 'REJECTED'].includes(record?.state ?? 'ABSENT')) problems.push(`its record is ${record?.state}`);
    const truth = await truthOf(bench, id);
    problems.push(...(jobType === 'order.place' ? orderProblems : cancelProblems)(journey, outcome, truth));
    return end(outcome.status === 'refused' ? outcome.category : outcome.status, problems);
  };
  return Promise.race([run(), late]);
}

/**
 * Sets up what goes wrong. For a cancel, places the order that is to be cancelled; for a person to find, one under the
 * intent's id that is not quite the one that was meant.
 */
async function prepare({ stack, venue }: Bench, journey: Journey, intentId: string, id: string): Promise<JobInput> {
  const { act, fate } = journey;
  const order: PlaceOrderInput = {
    intentId,
    venue: 'paper',
    symbol: 'XRPETH',
    side: 'BUY',
    quantity: '23',
    ...(act === 'MARKET' ? { type: 'MARKET' } : { type: 'LIMIT', price: RESTS_AT }),
  };
  if (act === 'cancel') await venue.placeOrder(order, id, () => undefined);
  if (fate === 'found by a person') await venue.placeOrder({ ...order, quantity: '40' }, id, () => undefined);
  const match = { method: act === 'cancel' ? 'DELETE' : 'POST', path: '/api/v3/order', clientOrderId: id };
  const faults = {
    answered: [],
    'answer lost': [{ kind: 'drop_after' }],
    'never arrived': [{ kind: 'drop_before' }],
    'found by a person': [{ kind: 'drop_before' }],
  }[fate];
  if (faults.length > 0) await stack.addFaults(faults.map((fault) => ({ ...fault, times: 1, match })));
  return act === 'cancel' ? { intentId, venue: 'paper', symbol: 'XRPETH', clientOrderId: id } : order;
}

type Waiting = (options: { timeoutMs: number }) => Promise<JobOutcome>;

/** Waits for the end of the job; decides it where it waits for a person. */
async function endOf(
  bench: Bench,
  { client }: Lane,
  { journey, jobType, id }: { journey: Journey; jobType: JobType; id: string },
  outcome: Waiting,
  problems: string[],
): Promise<JobOutcome> {
  for (let decided = false; ;) {
    const now = await outcome({ timeoutMs: 1_000 });
    if (now.status === 'done' || now.status === 'refused') {
      const asksPerson = journey.policy === 'manual' && (await truthOf(bench, id)).taken === 0;
      if (asksPerson && journey.act === 'MARKET' && !decided) problems.push('ended without asking a person');
      return now;
    }
    if (now.status !== 'manual' || decided) continue;
    const { orders } = await truthOf(bench, id);
    const orderId = orders[0] && { orderId: String(orders[0].orderId) };
    if (orderId && journey.decision !== 'done') problems.push('asked a person about an order that is there');
    const resolution = { decision: journey.decision, reason: 'looked', actor: 'test', ...orderId };
    // Refused as long as its request could still take effect.
    decided = await client.resolve(jobType, now.intentId, resolution).then(
      () => true,
      () => false,
    );
  }
}

/** The same intent under another workflow id: what the guard answers. */
async function askAgain({ client }: Lane, jobType: JobType, input: JobInput): Promise<unknown> {
  const options = { workflowId: `again:${input.intentId}`, taskQueue: WORKFLOW_QUEUE, args: [input] };
  try {
    return sameAnswer((await client.temporal.workflow.execute(JOBS[jobType].activity, options)) as object);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return error.cause.type;
  }
}

function answerOf(outcome: JobOutcome): unknown {
  return outcome.status === 'done'
    ? sameAnswer(outcome.result)
    : 'category' in outcome
      ? outcome.category
      : outcome.status;
}

async function truthOf({ stack }: Bench, id: string): Promise<OrderTruth> {
  return (await (await fetch(`${stack.stack.info.paper}/truth/${id}`)).json()) as OrderTruth;
}

function orderProblems({ act, fate, policy, decision }: Journey, outcome: JobOutcome, truth: OrderTruth): string[] {
  const { taken, requests, orders } = truth;
  const problems: string[] = [];
  if (taken > 1) problems.push(`was executed ${taken} times`);
  const sentAgain = act === 'LIMIT' || policy === 'resend';
  if (sentAgain && taken === 0) problems.push('was not sent again');
  const most = fate === 'found by a person' ? 2 : 1;
  if (!sentAgain && requests > most) problems.push(`was sent ${requests} times`);
  if (outcome.status === 'done') {
    if (outcome.result.order.orderId !== String(orders[0]?.orderId))
      problems.push(`is told as order ${outcome.result.order.orderId}, the venue has ${JSON.stringify(orders)}`);
    return problems;
  }
  const told = 'category' in outcome ? outcome.category : outcome.status;
  const due = decision === 'rejected' ? 'RESOLVED_REJECTED' : 'NOT_EXECUTED';
  if (told !== due) problems.push(`ended as ${told}`);
  if (taken > 0) problems.push(`was told as ${told}, and executed`);
  return problems;
}

function cancelProblems(_journey: Journey, outcome: JobOutcome, { orders }: OrderTruth): string[] {
  const told = outcome.status === 'done' ? outcome.result.order.status : outcome.status;
  const is = orders[0]?.status;
  return told === 'CANCELED' && is === 'CANCELED' ? [] : [`was told as ${told}, and the order is ${is}`];
}
