import { isVenueError } from '../venues/port';
import type { Refusal } from './errors';
import { reportOf, type Hold, type VenueHealth } from '../breaker/report';
import type { Ending } from './answers';
import { isExpired, isLateToSend, type Ticket } from './ticket';

/** Refusals that, on a resend, are evidence that the first request was executed after all. */
const EVIDENCE_ON_RESEND = new Set(['FUNDS']);

/**
 * How an act that threw ended, for its record. The rule that money hangs on: whatever does not prove that nothing happened
 * is a doubt.
 */
export function endingOf(
  error: unknown,
  ticket: Pick<Ticket, 'left' | 'resend'>,
): { ending: Exclude<Ending, 'done'>; health: VenueHealth; hold?: Hold | undefined; refusal: Refusal } {
  const message = error instanceof Error ? error.message : String(error);
  // Late for a second request of the same act says nothing about the first: then only the last rule holds.
  if (isExpired(error) && !ticket.left)
    return { ending: 'reject', health: 'none', refusal: { category: 'EXPIRED', message } };
  if (isLateToSend(error) && !ticket.left)
    return { ending: 'release', health: 'none', refusal: { category: 'NOT_SENT', message } };
  if (isVenueError(error)) {
    const { verdict, failure } = error;
    const refusal: Refusal = {
      category: verdict.category,
      message,
      ...(failure.code === undefined ? {} : { code: failure.code }),
    };
    const report = reportOf(verdict, message);
    const inDoubt =
      verdict.category === 'ALREADY_APPLIED' ||
      // "No such order" is no end: it may have filled, or not show yet.
      verdict.category === 'GONE' ||
      (verdict.category === 'OUTCOME_UNKNOWN' && verdict.reconcile) ||
      (ticket.resend && EVIDENCE_ON_RESEND.has(verdict.category));
    if (inDoubt) return { ending: 'doubt', ...report, refusal };
    return { ending: verdict.retry === 'never' ? 'reject' : 'release', ...report, refusal };
  }
  // A mistake of the program: before the request left it is harmless, after that nobody knows.
  const category = ticket.left ? 'OUTCOME_UNKNOWN' : 'NOT_SENT';
  return { ending: ticket.left ? 'doubt' : 'release', health: 'none', refusal: { category, message } };
}
