import { setTimeout as sleep } from 'node:timers/promises';
import type { JobOutcome } from '../../src/client/client';
import { clientOrderIdOf } from '../../src/domain/client-order-id';
import { workflowIdOf } from '../../src/domain/job-types';
import type { PlaceOrderInput } from '../../src/domain/order';
import { crashLanes, type Lanes } from '../support/crash/lanes';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

/** How a job went whose worker was stopped on its way, and continued when another worker had ended the job. */
interface Paused {
  outcome: JobOutcome;
  /** What the paused worker did for the job after it was continued. */
  afterwards: string[];
  taken: number;
  /** Status of the venue's order. */
  status: string | undefined;
  /** Requests that changed something at the venue or tried to, as `POST 200`. */
  requests: string[];
}

interface Scenario {
  type: 'MARKET' | 'LIMIT';
  /** Where the worker stops. */
  at: string;
  /** Whether the first request is lost on its way. */
  lost?: boolean;
  /** The paused worker's last word. */
  until: string;
}

const SCENARIOS = {
  'after GO, an order that fills at once': { type: 'MARKET', at: 'act: after admit', until: 'act: after settle' },
  'after GO, an order that can rest': { type: 'LIMIT', at: 'act: after admit', until: 'act: after settle' },
  'with the request at the door': { type: 'LIMIT', at: 'act: before POST order', until: 'act: after admit' },
  'with the answer in hand': { type: 'LIMIT', at: 'act: after POST order', until: 'act: after settle' },
  'before its fence': {
    type: 'LIMIT',
    lost: true,
    at: 'second look: after GET myTrades',
    until: 'second look: after look-end',
  },
  'with its fence at the door': {
    type: 'LIMIT',
    lost: true,
    at: 'second look: before DELETE order',
    until: 'second look: after look-end',
  },
} satisfies Record<string, Scenario>;

const proxies: TcpProxy[] = [];
let lanes: Lanes;
let paused: Record<keyof typeof SCENARIOS, Paused>;

beforeAll(async () => {
  lanes = await crashLanes();
  const names = Object.keys(SCENARIOS) as (keyof typeof SCENARIOS)[];
  const ends = await Promise.all(names.map((name, index) => pause(SCENARIOS[name], `paused-${index}`)));
  paused = Object.fromEntries(names.map((name, index) => [name, ends[index]])) as typeof paused;
}, 240_000);
afterAll(async () => {
  await lanes.end();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
}, 60_000);

async function pause({ type, at, lost = false, until }: Scenario, intentId: string): Promise<Paused> {
  // A request that waits in a stopped process must still leave when it goes on, else nothing would be proved.
  const lane = await lanes.open(intentId, {
    FILLSAFE_VENUES__PAPER__TIMEOUT_MS: '120000',
    'FILLSAFE_RETRY__POLICY__ORDER.PLACE__START_TO_CLOSE_SECONDS': '130',
    'FILLSAFE_RETRY__POLICY__ORDER.CANCEL__START_TO_CLOSE_SECONDS': '130',
  });
  const temporal = new URL(`tcp://${lane.config.temporal.address}`);
  const proxy = await startTcpProxy(Number(temporal.port));
  proxies.push(proxy);
  await lane.startWorker({ FILLSAFE_TEMPORAL__ADDRESS: `127.0.0.1:${proxy.port}` });
  const order: PlaceOrderInput = {
    intentId,
    venue: 'paper',
    symbol: 'XRPETH',
    side: 'BUY',
    quantity: '23',
    ...(type === 'MARKET' ? { type } : { type, price: '0.0004' }),
  };
  const workflowId = workflowIdOf('order.place', intentId);
  const clientOrderId = clientOrderIdOf({ namespace: lane.config.retry.redis.namespace, venue: 'paper', intentId });
  const match = { method: 'POST', path: '/api/v3/order', clientOrderId };
  if (lost) await lanes.stack.addFaults([{ kind: 'drop_before', times: 1, match }]);

  lane.crash(workflowId, [{ point: at, signal: 'SIGSTOP' }]);
  const job = await lane.client.submit('order.place', order);
  const pid = await lane.untilStopped(workflowId);
  // Else the server would go on handing tasks to the stopped worker, and wait for each of them in vain.
  proxy.close();
  await lane.startWorker();
  const outcome = await job.outcome();
  proxy.open();
  process.kill(pid, 'SIGCONT');
  const afterwards = (): string[] => {
    const mine = lane.passed(workflowId).filter((each) => each.pid === pid);
    return mine.slice(mine.findIndex(({ point }) => point === 'SIGSTOP') + 1).map(({ point }) => point);
  };
  while (!afterwards().includes(until)) await sleep(50);

  const truth = (await (await fetch(`${lanes.stack.stack.info.paper}/truth/${clientOrderId}`)).json()) as {
    taken: number;
    orders: { status: string }[];
    log: { method: string; status?: number }[];
  };
  const requests = truth.log
    .filter(({ method }) => method !== 'GET')
    .map(({ method, status }) => `${method} ${status}`);
  return { outcome, afterwards: afterwards(), taken: truth.taken, status: truth.orders[0]?.status, requests };
}

describe('a worker that is stopped until another one has ended its job', () => {
  test('does not send what it was about to send: its caller was told that nothing happened', () => {
    const { outcome, taken, requests } = paused['after GO, an order that fills at once'];
    expect(outcome).toMatchObject({ status: 'refused', category: 'NOT_EXECUTED' });
    expect({ taken, requests }).toEqual({ taken: 0, requests: [] });
  });

  test('does not send what the other one has sent', () => {
    const { outcome, taken, afterwards } = paused['after GO, an order that can rest'];
    expect(outcome).toMatchObject({ status: 'done' });
    expect(taken).toBe(1);
    expect(afterwards).not.toContain('act: before POST order');
  });

  test('is refused by the venue when its request was past every check of our own', () => {
    const { outcome, taken, requests } = paused['with the request at the door'];
    expect(outcome).toMatchObject({ status: 'done' });
    expect(taken).toBe(1);
    expect(requests.filter((request) => request.startsWith('POST'))).toEqual(['POST 200', 'POST 400']);
  });

  test('changes nothing by its late answer', () => {
    const { outcome, taken, requests } = paused['with the answer in hand'];
    expect(outcome).toMatchObject({ status: 'done' });
    expect({ taken, requests }).toEqual({ taken: 1, requests: ['POST 200'] });
  });

  test('does not cancel, as a looker, the order that was sent again since', () => {
    const { outcome, taken, status, afterwards } = paused['before its fence'];
    expect(outcome).toMatchObject({ status: 'done', result: { order: { status: 'NEW' } } });
    expect({ taken, status }).toEqual({ taken: 1, status: 'NEW' });
    expect(afterwards).not.toContain('second look: before DELETE order');
  });

  test('is refused by the venue when its fence was past every check of our own', () => {
    const { outcome, taken, status, requests } = paused['with its fence at the door'];
    expect(outcome).toMatchObject({ status: 'done', result: { order: { status: 'NEW' } } });
    expect({ taken, status }).toEqual({ taken: 1, status: 'NEW' });
    expect(requests.at(-1)).toBe('DELETE 400');
  });
});
