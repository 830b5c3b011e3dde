import { compareDecimals } from '../domain/decimal';
import type { VenueOrder } from '../venues/port';
import type { JobState } from './job-history';

/** One intent with what its job says about it. */
export interface KnownIntent {
  intentId: string;
  workflowId: string;
  clientOrderId: string;
  /** Empty where only the guard's record is known. */
  input: Record<string, unknown>;
  state: JobState;
  /** State of the guard's record while it is unresolved. */
  record?: string;
}

export type ReconcileKind = 'duplicate' | 'missing' | 'unexpected' | 'mismatch' | 'unknown';

/** One intent that does not agree with the venue, or of which nobody knows yet whether it does. */
export interface ReconcileRow {
  kind: ReconcileKind;
  intentId: string;
  workflowId: string;
  venue: string;
  symbol: string;
  clientOrderId: string;
  /** The venue's orders under the intent's client order id. */
  orderIds: string[];
  /** What is wrong, in words. */
  what: string;
}

/** Everything that is wrong with one intent, given the venue's orders under its client order id. */
export function compareIntent(intent: KnownIntent, orders: VenueOrder[], venue: string): ReconcileRow[] {
  const rows: ReconcileRow[] = [];
  const add = (kind: ReconcileKind, what: string): void => {
    const { intentId, workflowId, clientOrderId, input } = intent;
    const symbol = String(input['symbol'] ?? '');
    rows.push({ kind, intentId, workflowId, venue, symbol, clientOrderId, orderIds: orders.map(idOf), what });
  };
  const ids = orders.map(idOf).join(', ');
  if (orders.length > 1) add('duplicate', `${orders.length} orders for one intent: ${ids}`);

  const { state } = intent;
  if (state.status === 'done') {
    const told = state.result.order.orderId;
    if (orders.length === 0) add('missing', `the job says done, order ${told}, but ${venue} has no such order`);
    else if (!orders.some(({ orderId }) => orderId === told))
      add('mismatch', `the job's result names order ${told}, ${venue} has ${ids}`);
  } else if (state.status === 'refused' && orders.length > 0) {
    add('unexpected', `the job ended as ${state.category}, but ${venue} has order ${ids} (${orders[0]?.status})`);
  } else if (isOpenQuestion(intent)) {
    add('unknown', openQuestion(intent, orders));
  }
  for (const order of orders) {
    const differences = differencesOf(intent.input, order);
    if (differences.length > 0) add('mismatch', `order ${order.orderId}: ${differences.join('; ')}`);
  }
  return rows;
}

/** Whether the job has not come to an end that says what became of the act. */
export function isUnresolved({ state }: KnownIntent): boolean {
  return state.status !== 'done' && state.status !== 'refused';
}

/** A job that runs without doubt is no row of its own: it is only counted. */
function isOpenQuestion({ state, record }: KnownIntent): boolean {
  if (state.status === 'manual' || state.status === 'cut off') return true;
  return state.status === 'running' && record !== undefined && record !== 'CLAIMED';
}

function openQuestion({ state, record }: KnownIntent, orders: VenueOrder[]): string {
  const seen =
    orders.length === 0 ? 'the venue shows no order' : `the venue shows order ${orders.map(idOf).join(', ')}`;
  if (state.status === 'manual') return `waits for a person: ${state.evidence}; ${seen}`;
  if (state.status === 'cut off') return `the job was ended from outside (${state.how}); ${seen}`;
  return `the outcome is not known yet (record ${record}); ${seen}`;
}

function differencesOf(input: Record<string, unknown>, order: VenueOrder): string[] {
  const { symbol, side, type, quantity, price } = input;
  const differ = (name: string, wanted: unknown, found: string): string[] =>
    typeof wanted === 'string' && wanted !== found ? [`${name} ${found}, the intent says ${wanted}`] : [];
  const differInAmount = (name: string, wanted: unknown, found: string): string[] =>
    typeof wanted === 'string' && compareDecimals(wanted, found) !== 0
      ? [`${name} ${found}, the intent says ${wanted}`]
      : [];
  return [
    ...differ('symbol', symbol, order.symbol),
    ...differ('side', side, order.side),
    ...differ('type', type, order.type),
    ...differInAmount('quantity', quantity, order.quantity),
    ...differInAmount('price', price, order.price),
  ];
}

const idOf = ({ orderId }: VenueOrder): string => orderId;
