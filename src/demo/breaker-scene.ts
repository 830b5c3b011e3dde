import { setTimeout as sleep } from 'node:timers/promises';
import type { BreakerState } from '../breaker/snapshot';
import type { FillsafeClient, JobOutcome } from '../client/client';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { submitAll } from './trading-day';

/** What the breaker scene showed. */
export interface BreakerScene {
  outcomes: JobOutcome[];
  /** Orders that reached the venue while the breaker was open. */
  burnt: number;
}

const PLACEMENT = { method: 'POST', path: '/api/v3/order' };
const LOOK_MS = 200;
/** Orders that may still leave when a breaker has just opened: what was let through before. */
const SETTLE_MS = 2_000;
const JOB_TYPE = 'order.place';

/**
 * The venue fails for everyone while orders come in: the breaker opens and holds them; an operator forces it open, the venue
 * recovers, the operator lets go, and the orders come back at a paced rate. `orders` are submitted all at once.
 */
export async function liveBreakerScene(options: {
  client: FillsafeClient;
  config: FillsafeConfig;
  paper: string;
  venue: string;
  orders: Record<string, unknown>[];
  say: (line: string) => void;
}): Promise<BreakerScene> {
  const { client, config, paper, venue, orders, say } = options;
  const scope = `${venue}/${JOB_TYPE}`;
  const control = client.breaker(scope);
  const store = await openGuard(config);
  const until = async (isWanted: (state: BreakerState) => boolean): Promise<void> => {
    const read = async () => (await store.guard.breakers.read(venue, [JOB_TYPE])).at(-1)!.breaker.state;
    while (!isWanted(await read())) await sleep(LOOK_MS);
  };
  try {
    say(`the venue fails for everyone (503, nothing executed), and ${orders.length} more orders come in`);
    await changeFaults(paper, 'POST', [{ kind: 'error_5xx_not_executed', match: PLACEMENT }]);
    const ending = submitAll(client, orders, () => undefined, orders.length);
    // Should all fail at once, the scene ends there and the proof says so.
    await Promise.race([until((state) => state === 'OPEN'), ending]);
    say(`breaker ${scope} is open: the jobs wait in Temporal; \`fillsafe breaker list\` and its workflow tell why`);
    await sleep(SETTLE_MS);
    const before = await placements(paper);
    await control.override({ action: 'open', reason: 'the venue is down', actor: 'demo', forSeconds: 600 });
    say('an operator forced it open for 10 min; meanwhile the venue recovers');
    await changeFaults(paper, 'DELETE');
    await sleep(SETTLE_MS);
    const burnt = (await placements(paper)) - before;
    say(`orders that reached the venue while it was open: ${burnt}`);
    await control.override({ action: 'auto', reason: 'the venue is back', actor: 'demo' });
    say('the operator lets go: a read is tried, then a few orders, then a growing share');
    const outcomes = await ending;
    await until((state) => state === 'CLOSED' || state === 'RAMP');
    return { outcomes, burnt };
  } finally {
    store.close();
  }
}

async function changeFaults(paper: string, method: 'POST' | 'DELETE', faults?: object[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${paper}/admin/faults`, {
    method,
    headers,
    body: faults ? JSON.stringify(faults) : null,
  });
  if (!response.ok) throw new Error(`the paper venue refused: ${await response.text()}`);
}

/** How many requests to place an order have reached the venue. */
async function placements(paper: string): Promise<number> {
  const { requests } = (await (await fetch(`${paper}/truth`)).json()) as {
    requests: { method: string; path: string }[];
  };
  return requests.filter(({ method, path }) => method === PLACEMENT.method && path === PLACEMENT.path).length;
}
