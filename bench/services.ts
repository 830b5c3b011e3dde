import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack, type StackOptions } from '../src/dev/stack';
import type { StackInfo } from '../src/dev/stack-file';
import type { PlaceOrderInput } from '../src/domain/order';

/** Runs `measure` on Temporal, Redis and a paper venue of their own, on fresh data that is thrown away afterwards. */
export async function withServices<T>(measure: (stack: StackInfo) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-bench-'));
  // Services of the user's own would be measured with whatever else they do.
  const { TEMPORAL_ADDRESS: _temporal, REDIS_URL: _redis, FILLSAFE_CONFIG: _config, ...env } = process.env;
  const options: StackOptions = { dataDir, worker: false, env, log: (line) => void process.stderr.write(`${line}\n`) };
  const stack = await startStack(options);
  try {
    return await measure(stack.info);
  } finally {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** An order that fills at once and changes no price. */
export function benchOrder(intentId: string): PlaceOrderInput {
  return { intentId, venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '23' };
}
