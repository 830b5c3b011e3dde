import { proxyActivities } from '@temporalio/workflow';
import type { EffectResult } from '../../src/index';
import type { Payout, Receipt } from './payouts';

type Activities = Record<string, (payout: Payout) => Promise<EffectResult<Receipt>>>;

const activities = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });
const ordinary = proxyActivities<{ 'greet.politely'(name: string): Promise<string> }>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/** Somebody's workflow: does an effect of theirs, by its job type. */
export function pay(jobType: string, payout: Payout): Promise<EffectResult<Receipt>> {
  return activities[jobType]!(payout);
}

/** Two activities whose name looks like a job type and which are no effects, around one which is. */
export async function payPolitely(payout: Payout): Promise<string[]> {
  const before = await ordinary['greet.politely'](payout.to);
  const { result } = await activities['payout.send']!(payout);
  return [before, result.receiptId, await ordinary['greet.politely'](payout.to)];
}

/** Two effects at the same time whose intents have the same name. */
export async function payTwice(payout: Payout): Promise<string[]> {
  const ends = await Promise.all(['payout.blind', 'payout.ask'].map((jobType) => activities[jobType]!(payout)));
  return ends.map(({ result }) => result.receiptId);
}
