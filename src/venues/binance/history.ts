import { z } from 'zod';

import type { VenueOrder, VenueTrade } from '../port';
import { orderSchema, tradeSchema, venueOrder, venueTrade } from './answers';
import type { QueryParams } from './sign';
import type { SpotClient } from './spot-client';

/** The venue's greatest page. */
const PAGE_SIZE = 1000;
/** The venue refuses longer windows between startTime and endTime. */
const WINDOW_MS = 24 * 60 * 60 * 1000;
/** Beyond this many windows it is cheaper to walk the whole history by id. */
const MAX_WINDOWS = 30;

interface History<Item> {
  fetchPage: (params: QueryParams) => Promise<Item[]>;
  /** Parameter that names the first id of a page, and an id that none is below. */
  idParam: string;
  lowestId: string;
  idOf: (item: Item) => string;
  timeOf: (item: Item) => number;
}

/** Orders without their fills: `listTrades` has them for all at once. */
export async function listOrders(
  call: SpotClient,
  symbol: string,
  range: { since?: number | undefined; nowMs: number },
): Promise<VenueOrder[]> {
  const page = { operation: 'query', method: 'GET', path: '/api/v3/allOrders', schema: z.array(orderSchema) } as const;
  const answers = await readHistory(range, {
    fetchPage: (params) => call({ ...page, params: { symbol, ...params } }),
    idParam: 'orderId',
    lowestId: '1',
    idOf: (order) => order.orderId,
    timeOf: (order) => order.time,
  });
  return answers.map((answer) => venueOrder(answer, []));
}

export async function listTrades(
  call: SpotClient,
  symbol: string,
  range: { since?: number | undefined; nowMs: number },
): Promise<VenueTrade[]> {
  const answers = await readHistory(range, tradesOf(call, { symbol }));
  return answers.map(venueTrade);
}

/** All trades of one order, oldest first. */
export async function listTradesOfOrder(call: SpotClient, symbol: string, orderId: string): Promise<VenueTrade[]> {
  const answers = await readFrom('0', tradesOf(call, { symbol, orderId }));
  return answers.map(venueTrade);
}

function tradesOf(call: SpotClient, fixed: QueryParams): History<z.output<typeof tradeSchema>> {
  const page = { operation: 'query', method: 'GET', path: '/api/v3/myTrades', schema: z.array(tradeSchema) } as const;
  return {
    fetchPage: (params) => call({ ...page, params: { ...fixed, ...params } }),
    idParam: 'fromId',
    lowestId: '0',
    idOf: (trade) => trade.id,
    timeOf: (trade) => trade.time,
  };
}

async function readHistory<Item>(
  { since, nowMs }: { since?: number | undefined; nowMs: number },
  history: History<Item>,
): Promise<Item[]> {
  if (since === undefined) return readFrom(history.lowestId, history);
  const firstId = await findFirstId({ since, nowMs }, history);
  if (firstId === undefined) return [];
  const items = await readFrom(firstId, history);
  return items.filter((item) => history.timeOf(item) >= since);
}

/** Time windows only find the start: an id names one place in the history, a millisecond may name many. */
async function findFirstId<Item>(
  { since, nowMs }: { since: number; nowMs: number },
  { fetchPage, lowestId, idOf }: History<Item>,
): Promise<string | undefined> {
  if (nowMs - since > MAX_WINDOWS * WINDOW_MS) return lowestId;
  // One window more than it takes, so that a clock that runs behind does not hide the newest.
  for (let startTime = Math.floor(since); startTime <= nowMs + WINDOW_MS; startTime += WINDOW_MS) {
    const found = await fetchPage({ startTime, endTime: startTime + WINDOW_MS - 1, limit: PAGE_SIZE });
    if (found.length > 0) return lowestOf(found.map(idOf));
  }
  return undefined;
}

async function readFrom<Item>(firstId: string, { fetchPage, idParam, idOf }: History<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for (let nextId = firstId; ;) {
    const page = await fetchPage({ [idParam]: nextId, limit: PAGE_SIZE });
    // Only what is new: a venue that answered the same page again would keep this going for ever.
    const fresh = page.filter((item) => BigInt(idOf(item)) >= BigInt(nextId));
    fresh.sort((left, right) => (BigInt(idOf(left)) < BigInt(idOf(right)) ? -1 : 1));
    items.push(...fresh);
    const last = fresh.at(-1);
    if (last === undefined || page.length < PAGE_SIZE) return items;
    nextId = String(BigInt(idOf(last)) + 1n);
  }
}

function lowestOf(ids: string[]): string | undefined {
  return ids.reduce((lowest, id) => (BigInt(id) < BigInt(lowest) ? id : lowest));
}
