// The workflow of own-effect.ts. Timeouts, retries and look-ups come from fillsafe's policy.
import { proxyActivities } from '@temporalio/workflow';
import type { EffectResult } from 'fillsafe';
import type { Payout, Receipt } from './own-effect';

const act = proxyActivities<{
  'payout.send'(payout: Payout): Promise<EffectResult<Receipt>>;
  'voucher.print'(voucher: { voucherId: string }): Promise<EffectResult<{ page: number }>>;
}>({ startToCloseTimeout: '1 minute' });

export async function payAndPrint(name: string) {
  const payout = await act['payout.send']({ payoutId: name, iban: 'DE00', amount: '12.50' });
  const voucher = await act['voucher.print']({ voucherId: name });
  return { payout, voucher };
}
