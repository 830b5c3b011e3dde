import { BOOKS, isJobType, type Place } from './job-types';

/** An act of which it is not known whether it happened. */
type Doubt = Place & { intentId: string };

export function asking({ venue, intentId }: Doubt): string {
  return venue === BOOKS ? `looking up whether ${intentId} happened` : `asking ${venue} whether ${intentId} happened`;
}

/** The look-up in the timeline. */
export function question({ venue, intentId }: Doubt): string {
  return venue === BOOKS ? `did ${intentId} happen?` : `is ${intentId} at ${venue}?`;
}

/** Why an act that is surely absent ends as NOT_EXECUTED. */
export function notSentAgain({ jobType, venue }: Doubt): string {
  return isJobType(jobType)
    ? `${venue} surely did not execute it; an order that fills at once is not sent again, as the price has moved: ` +
        'decide afresh under a new intentId'
    : 'it surely did not happen, and it is of a kind that is not sent again: decide afresh under a new intentId';
}
