import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { FailureCategory } from '../failures/categories';

/** fillsafe's own reasons for ending a job, beside the 15 categories. */
export type JobFailureType =
  FailureCategory | 'EXPIRED' | 'CONFLICT' | 'NOT_EXECUTED' | 'LANE' | 'RISK_GATE' | 'RESOLVED_REJECTED';

/** Reasons why an attempt did not act and comes back later, or hands over to a look-up. They never end a job. */
export type HoldType =
  'BREAKER_OPEN' | 'BUSY' | 'STORE_DOWN' | 'STORE_UNSAFE' | 'NOT_REPLICATED' | 'VENUE_AWAY' | 'MANUAL' | 'INTERNAL';

/** What every failure of a job tells, in `details[0]`. */
export interface FailureDetails {
  intentId: string;
  category: string;
  venue: string;
  /** The venue's own code, or the transport's. */
  code?: number | string;
  message: string;
}

/** A failure that ends the attempt: `delayMs` says when the next one begins; without it there is none. */
export function attemptFailure(
  type: JobFailureType | HoldType,
  message: string,
  details: Omit<FailureDetails, 'category' | 'message'>,
  { delayMs, benign = false }: { delayMs?: number | undefined; benign?: boolean } = {},
): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type,
    message,
    nonRetryable: delayMs === undefined,
    ...(delayMs === undefined ? {} : { nextRetryDelay: Math.max(1, Math.round(delayMs)) }),
    details: [{ ...details, category: type, message }],
    // Expected waiting is no alarm in the worker's log.
    ...(benign ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
  // A cause or a stack trace would put file paths and venue headers into histories and the UI; the log has them.
  failure.stack = `${type}: ${message}`;
  return failure;
}
