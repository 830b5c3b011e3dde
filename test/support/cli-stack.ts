import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load';
import { startStack, type Stack } from '../../src/dev/stack';
import { clientOrderIdOf } from '../../src/domain/client-order-id';
import { runCli, type CliEnd } from './run-cli';
import { watchKeys } from './stack';

/** The real command line on a stack with a worker that lives as long as the test file, and what its tests do all the time. */
export function cliStack() {
  let dir: string;
  let stack: Stack;
  let unwatch: () => Promise<void>;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'fillsafe-cli-'));
    stack = await startStack({ dataDir: join(dir, 'stack'), worker: true, env: {}, log: () => undefined });
    unwatch = watchKeys(stack, loadConfig({ env: {} }));
  }, 120_000);
  afterAll(async () => {
    await unwatch?.();
    await stack?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const fillsafe = (...args: string[]): Promise<CliEnd> => runCli([...args, '--config', stack.info.config]);
  const order = (intentId: string, more: object = {}): string =>
    JSON.stringify({
      ...{
        intentId,
        venue: 'paper',
        symbol: 'ADABTC',
        side: 'BUY',
        type: 'LIMIT',
        quantity: '30',
        price: '0.00004756',
      },
      ...more,
    });
  const submit = (intentId: string, more: object = {}, ...args: string[]): Promise<CliEnd> =>
    fillsafe('submit', 'order.place', '--input', order(intentId, more), '--json', ...args);
  const clientOrderId = (intentId: string): string =>
    clientOrderIdOf({ namespace: 'idempotency', venue: 'paper', intentId });

  return {
    get dir() {
      return dir;
    },
    get info() {
      return stack.info;
    },
    fillsafe,
    order,
    submit,
    clientOrderId,
    /** Writes a file into the stack's own directory; answers its path. */
    file: (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    },
    /** How many orders of the intent the venue took. */
    ordersOf: async (intentId: string): Promise<number> => {
      const truth = await fetch(`${stack.info.paper}/truth/${clientOrderId(intentId)}`);
      return ((await truth.json()) as { taken: number }).taken;
    },
  };
}
