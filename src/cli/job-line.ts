import type { JobOutcome } from '../client/client';
import type { OrderResult } from '../domain/order';
import { EXIT, type ExitCode } from './exit-codes';

/** One job as `submit --json` and `job --json` print it. */
export interface JobLine {
  /** Null where a row names none. */
  intentId: string | null;
  workflowId: string | null;
  status: 'started' | 'done' | 'refused' | 'manual' | 'running';
  category?: string;
  message?: string;
  result?: OrderResult;
  /** Whether an earlier submit of the intent is answered. */
  replayed?: boolean;
  /** Line of the file, or entry of the JSON array, that the job was given in. */
  line?: number;
}

/** Refusals by fillsafe itself: the venue had no say in them. */
const HELD = new Set(['CONFLICT', 'EXPIRED', 'LANE', 'RISK_GATE']);

export function jobLine(outcome: JobOutcome, extra: { replayed?: boolean; line?: number } = {}): JobLine {
  return { ...outcome, ...extra };
}

/** Exit code of one job whose end was waited for, or that was only started. */
export function exitCodeOf({ status, category = '' }: JobLine): ExitCode {
  switch (status) {
    case 'started':
    case 'done':
      return EXIT.DONE;
    case 'running':
      return EXIT.HELD;
    case 'manual':
      return EXIT.NEEDS_PERSON;
    case 'refused':
      return HELD.has(category) ? EXIT.HELD : EXIT.FAILED;
  }
}

/** `done: order 12 FILLED, 23 executed at 0.00141`. */
export function inWords({ status, category, message, result, replayed }: Omit<JobLine, 'line' | 'intentId'>): string {
  const again = replayed ? ' (an earlier submit is answered)' : '';
  switch (status) {
    case 'started':
      return `started${again}`;
    case 'running':
      return `still running${again}`;
    case 'manual':
      return `waits for a person: ${message ?? 'see fillsafe job'}`;
    case 'refused':
      return `refused, ${category}: ${message}`;
    case 'done':
      return result ? `done: ${orderInWords(result)}${again}` : `done${again}`;
  }
}

function orderInWords({ order }: OrderResult): string {
  const { orderId, status, executedQuantity, averagePrice } = order;
  const executed = /^0(\.0+)?$/.test(executedQuantity)
    ? 'nothing executed yet'
    : `${executedQuantity} executed at ${averagePrice}`;
  return `order ${orderId} ${status}, ${executed}`;
}
