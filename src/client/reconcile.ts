import { setTimeout as sleep } from 'node:timers/promises';
import type { FillsafeConfig } from '../config/schema';
import { clientOrderIdOf } from '../domain/client-order-id';
import { workflowIdOf } from '../domain/job-types';
import { backoffMs } from '../policy/backoff';
import { createVenues } from '../venues/create-venues';
import { isVenueError, type VenueOrder, type VenuePort } from '../venues/port';
import type { FillsafeClient } from './client';
import { readJobHistory } from './job-history';
import { forEachOf, jobsQuery, listJobs } from './job-list';
import { openGuard, type OpenGuard } from './open-guard';
import { compareIntent, isUnresolved, type KnownIntent, type ReconcileRow } from './reconcile-compare';

/** Every intent of a venue against the venue's orders. Anything but 0 in the middle four is wrong. */
export interface ReconcileReport {
  intents: number;
  /** Orders at the venue that belong to these intents. */
  executions: number;
  /** Orders beyond the first of an intent. */
  duplicates: number;
  /** Intents whose job says done, without an order at the venue. */
  missing: number;
  /** Intents whose job ended as refused or not executed, with an order at the venue. */
  unexpected: number;
  /** Orders that are not what their intent says, or not the one that the job's result names. */
  mismatched: number;
  /** Intents of which it is not known yet what becomes of them. */
  unknown: number;
  /** Orders with ids of fillsafe's shape that belong to no intent known here: another namespace, or a job that was deleted. */
  unmatched: number;
  /** Whether the guard's records could be read. */
  records: boolean;
  /** Problems and open questions only. */
  rows: ReconcileRow[];
}

/** Clocks of server and venue may differ: orders are listed from this long before the first job began. */
const LISTING_MARGIN_MS = 3_600_000;
const READ_TRIES = 5;
/** Visibility may not know a job yet whose order is at the venue already. */
const VISIBILITY_TRIES = 4;
const VISIBILITY_WAIT_MS = 400;
const OWN_ID = /^fs[a-z2-7]{16}$/;

/**
 * Compares every intent of a venue (from Temporal's visibility and the guard's unresolved records) with the venue's orders
 * and trades. Only reads. Throws when Temporal or the venue cannot be asked; without Redis it goes on and says so in `records`.
 */
export async function reconcileVenue(options: {
  client: FillsafeClient;
  config: FillsafeConfig;
  venue: string;
  /** Default: an adapter made from the configuration. */
  port?: VenuePort;
}): Promise<ReconcileReport> {
  const { config, venue } = options;
  const port = options.port ?? createVenues(config).get(venue);
  if (!port)
    throw new Error(`venue: "${venue}" is not configured; configured are: ${Object.keys(config.venues).join(', ')}`);
  const intents = new Map<string, KnownIntent>();
  const begunAt = { first: Date.now() };
  await addJobs(intents, options, begunAt);
  const records = await addRecords(intents, options);

  // Jobs are read before orders: a job that said done then must have its order now.
  await patiently(() => port.syncClock());
  const since = begunAt.first - LISTING_MARGIN_MS;
  const orders = new Map<string, VenueOrder[]>();
  for (const symbol of symbolsOf(intents)) await addOrders(orders, port, symbol, since);
  const unmatched = (): string[] => {
    const known = new Set([...intents.values()].map(({ clientOrderId }) => clientOrderId));
    return [...orders.keys()].filter((id) => OWN_ID.test(id) && !known.has(id));
  };
  for (let tries = 0; tries < VISIBILITY_TRIES && unmatched().length > 0; tries++) {
    await sleep(VISIBILITY_WAIT_MS);
    await addJobs(intents, options, begunAt, new Date(Date.now() - LISTING_MARGIN_MS));
  }

  const report: ReconcileReport = {
    ...{ intents: intents.size, executions: 0, duplicates: 0, missing: 0, unexpected: 0, mismatched: 0, unknown: 0 },
    ...{ unmatched: unmatched().length, records, rows: [] },
  };
  for (const intent of intents.values()) {
    let found = orders.get(intent.clientOrderId) ?? [];
    // The venue's lists lag behind: before an order is called missing it is asked for by its id.
    if (found.length === 0 && intent.state.status === 'done') found = await askFor(port, intent);
    const rows = compareIntent(intent, found, venue);
    const has = (kind: ReconcileRow['kind']): number => (rows.some((row) => row.kind === kind) ? 1 : 0);
    report.executions += found.length;
    report.duplicates += Math.max(found.length - 1, 0);
    report.missing += has('missing');
    report.unexpected += has('unexpected');
    report.mismatched += has('mismatch');
    if (isUnresolved(intent)) report.unknown += 1;
    report.rows.push(...rows);
  }
  return report;
}

/** Whether the report shows anything wrong; what is not known yet is not wrong. */
export function isOff({ duplicates, missing, unexpected, mismatched }: ReconcileReport): boolean {
  return duplicates + missing + unexpected + mismatched > 0;
}

type Source = { client: FillsafeClient; config: FillsafeConfig; venue: string };

async function addJobs(
  intents: Map<string, KnownIntent>,
  { client, config, venue }: Source,
  begunAt: { first: number },
  startedSince?: Date,
): Promise<void> {
  const also = startedSince && `StartTime > '${startedSince.toISOString()}'`;
  const query = jobsQuery({ jobTypes: ['order.place'], ...(also && { also }) });
  const fresh = (async function* () {
    for await (const info of listJobs(client.temporal, query)) {
      const [of] = info.searchAttributes['FillsafeVenue'] ?? [];
      if (of !== undefined && of !== venue) continue;
      begunAt.first = Math.min(begunAt.first, info.startTime.getTime());
      yield info;
    }
  })();
  await forEachOf(fresh, async ({ workflowId, runId }) => {
    const { input, state } = await readJobHistory(client.temporal, workflowId, runId);
    const { intentId, account } = input;
    if (input['venue'] !== venue || typeof intentId !== 'string') return;
    const clientOrderId = clientOrderIdOf({
      namespace: config.retry.redis.namespace,
      venue,
      account: typeof account === 'string' ? account : undefined,
      intentId,
    });
    const known = intents.get(intentId);
    const intent: KnownIntent = { intentId, workflowId, clientOrderId, input, state };
    if (!known || weight(state) > weight(known.state)) intents.set(intentId, intent);
  });
}

/** Of several jobs of one intent (a reset, a second id) the one that knows most about the act speaks. */
function weight({ status }: KnownIntent['state']): number {
  return ['cut off', 'refused', 'running', 'manual', 'done'].indexOf(status);
}

async function addRecords(intents: Map<string, KnownIntent>, { config, venue }: Source): Promise<boolean> {
  let store: OpenGuard | undefined;
  try {
    store = await openGuard(config);
    for (const { ref, record } of await store.guard.unresolved(venue)) {
      if (ref.jobType !== 'order.place') continue;
      const { intentId } = ref;
      const known = intents.get(intentId);
      if (known) known.record = record.state;
      else {
        const { namespace } = config.retry.redis;
        intents.set(intentId, {
          intentId,
          workflowId: workflowIdOf('order.place', intentId),
          clientOrderId: clientOrderIdOf({ namespace, venue, intentId }),
          input: {},
          state: { status: 'running' },
          record: record.state,
        });
      }
    }
    return true;
  } catch {
    return false;
  } finally {
    store?.close();
  }
}

function symbolsOf(intents: Map<string, KnownIntent>): Set<string> {
  const symbols = [...intents.values()].map(({ input }) => input['symbol']);
  return new Set(symbols.filter((symbol): symbol is string => typeof symbol === 'string'));
}

async function addOrders(
  orders: Map<string, VenueOrder[]>,
  port: VenuePort,
  symbol: string,
  since: number,
): Promise<void> {
  const listed = await patiently(() => port.listOrders(symbol, since)).catch(nothingSuch<VenueOrder[]>([]));
  const ids = new Set(listed.map(({ orderId }) => orderId));
  const trades = await patiently(() => port.listTrades(symbol, since)).catch(nothingSuch([]));
  // A trade may show before its order does.
  for (const orderId of new Set(trades.map((trade) => trade.orderId).filter((each) => !ids.has(each)))) {
    const order = await patiently(() => port.findOrder(symbol, { orderId }));
    if (order) listed.push(order);
  }
  for (const order of listed) {
    // A refused order is in some venues' lists. It did nothing.
    if (order.status === 'REJECTED') continue;
    const same = orders.get(order.clientOrderId);
    if (same) same.push(order);
    else orders.set(order.clientOrderId, [order]);
  }
}

async function askFor(port: VenuePort, { input, clientOrderId }: KnownIntent): Promise<VenueOrder[]> {
  const symbol = String(input['symbol']);
  const found = await patiently(() => port.findOrder(symbol, { clientOrderId })).catch(nothingSuch(undefined));
  return found ? [found] : [];
}

/** A symbol that the venue does not know has no orders. */
function nothingSuch<T>(nothing: T): (error: unknown) => T {
  return (error) => {
    if (isVenueError(error) && error.verdict.category === 'INVALID') return nothing;
    throw error;
  };
}

/** Reads do no harm: what fails for a moment is asked again. */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!isVenueError(error) || error.verdict.retry === 'never' || attempt >= READ_TRIES) throw error;
      await sleep(error.verdict.retryAfterMs ?? backoffMs(attempt, { initialMs: 250, maximumMs: 2_000 }));
    }
  }
}
