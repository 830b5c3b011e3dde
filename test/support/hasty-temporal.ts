import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporal } from '../../src/dev/temporal';

/** A Temporal that has workflows continue as new every few orders, so that whatever holds on it holds over their runs. */
export async function startHastyTemporal(): Promise<{ address: string; stop(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-hasty-'));
  const often = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60'];
  const { address, stop } = await startTemporal({ dataDir, extraArgs: often, log: () => undefined });
  return {
    address,
    stop: async () => {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
