import { sleep } from '@temporalio/workflow';

/** Workflows of fillsafe's names by other code: their histories begin as none of fillsafe's does, and so do not replay. */
export async function breakerControl(): Promise<void> {
  await sleep('30 days');
}

export const placeOrder = breakerControl;
