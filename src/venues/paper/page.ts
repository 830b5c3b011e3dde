import type { WireParams } from './wire-params';
import { WireError } from './wire-error';

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1000;
const DAY_MS = 86_400_000;

/**
 * The page of an ascending list that a request asks for: from `fromId` or `startTime` the oldest, else the newest.
 * Reads `startTime`, `endTime` and `limit`. Throws -1127 for a span of more than 24 hours.
 */
export function pageOf<Item>(
  items: readonly Item[],
  params: WireParams,
  {
    fromId,
    idOf,
    timeOf,
  }: { fromId: number | undefined; idOf: (item: Item) => number; timeOf: (item: Item) => number },
): Item[] {
  const start = params.long('startTime');
  const end = params.long('endTime');
  const limit = Math.min(params.long('limit') ?? DEFAULT_LIMIT, MAX_LIMIT);
  if (start !== undefined && end !== undefined && end - start > DAY_MS) {
    throw new WireError(-1127, 'More than 24 hours between startTime and endTime.');
  }
  let first = 0;
  if (fromId !== undefined) first = lowerBound(items, (item) => idOf(item) >= fromId);
  if (start !== undefined)
    first = Math.max(
      first,
      lowerBound(items, (item) => timeOf(item) >= start),
    );
  const past = end === undefined ? items.length : lowerBound(items, (item) => timeOf(item) > end);
  if (fromId === undefined && start === undefined) first = Math.max(first, past - limit);
  return items.slice(first, Math.min(past, first + limit));
}

/** Index of the first item for which `reached` holds, in a list where it holds for all later ones. */
function lowerBound<Item>(items: readonly Item[], reached: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && reached(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
