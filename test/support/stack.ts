import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { FillsafeClient } from '../../src/client/client';
import { loadConfig } from '../../src/config/load';
import type { FillsafeConfig } from '../../src/config/schema';
import { startNodeChild } from '../../src/dev/node-child';
import { startStack, type Stack } from '../../src/dev/stack';
import { startWatchdog } from '../../src/dev/watchdog';

export interface TestStack {
  stack: Stack;
  config: FillsafeConfig;
  client: FillsafeClient;
  /** The paper venue's own account of what it took. */
  truth(): Promise<{ totals: { orders: number; executions: number; duplicates: number } }>;
  addFaults(faults: object[]): Promise<void>;
  clearFaults(): Promise<void>;
  /** Stops all. Throws when anybody touched a key of its Redis that is not fillsafe's. */
  end(): Promise<void>;
}

/** The environment without what is meant for the tests themselves, or would bring the developer's own services into them. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const settings = /^(FILLSAFE_|TEMPORAL_|REDIS_URL$|DATABASE_URL$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name)));
}

/**
 * A whole stack on fresh data: Temporal, Redis, paper venue and (unless told otherwise) a worker, each its own process.
 * `settings` are variables of its environment; with REDIS_URL it takes that Redis.
 */
export async function testStack({
  worker = true,
  configFile,
  settings = {},
}: { worker?: boolean; configFile?: string; settings?: Record<string, string> } = {}): Promise<TestStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-test-'));
  const lines: string[] = [];
  const env = { ...plainEnvironment(), ...settings };
  const stack = await startStack({
    dataDir,
    worker,
    configFile,
    env,
    announced: false,
    log: (line) => lines.push(line),
  });
  const config = loadConfig({ file: stack.info.config, env });
  // A Redis that the test brought along is watched by the test, where it may.
  const unwatch = settings['REDIS_URL'] === undefined ? watchKeys(stack, config) : () => Promise.resolve();
  const client = await FillsafeClient.connect(config);
  const admin = async (method: string, body?: object): Promise<void> => {
    const response = await fetch(`${stack.info.paper}/admin/faults`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`the paper venue refused: ${await response.text()}`);
  };
  return {
    stack,
    config,
    client,
    truth: async () =>
      (await (await fetch(`${stack.info.paper}/truth`)).json()) as Awaited<ReturnType<TestStack['truth']>>,
    addFaults: (faults) => admin('POST', faults),
    clearFaults: () => admin('DELETE'),
    end: async () => {
      await client.close();
      try {
        await unwatch();
      } finally {
        await stack.stop();
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
  };
}

/** Answers what fails when Redis holds a key outside of the namespace. A Redis that is away by then tells nothing. */
export function watchKeys({ info }: Stack, { retry }: Pick<FillsafeConfig, 'retry'>): () => Promise<void> {
  return async () => {
    const admin = new Redis(info.redis ?? '', { disconnectTimeout: 200 }).on('error', () => undefined);
    const keys = await Promise.race([admin.keys('*').catch(() => []), sleep(2_000, [] as string[])]);
    admin.disconnect();
    const outside = keys.filter((key) => !key.startsWith(`${retry.redis.namespace}:{`));
    if (outside.length > 0) throw new Error(`keys outside of the namespace: ${outside.join(', ')}`);
  };
}

/** Ends of jobs do not depend on when they were asked for: two outcomes of one intent, without the mark of the second. */
export function sameAnswer(outcome: object): unknown {
  return JSON.parse(JSON.stringify(outcome, (key, value: unknown) => (key === 'replayed' ? undefined : value)));
}

/** A second worker on the same services, in a process of its own; answers how to stop it. */
export async function startWorkerBeside(stack: TestStack): Promise<() => Promise<void>> {
  return (await startWorker(stack)).stop;
}

/** A worker on the services of a stack, in a process of its own. `settings` are variables of its environment. */
export async function startWorker(
  { stack }: TestStack,
  settings: Record<string, string> = {},
): Promise<{ metrics: string; stop(): Promise<void> }> {
  const watchdog = startWatchdog();
  const { child, ready } = await startNodeChild({
    name: 'another worker',
    script: 'bin/fillsafe.js',
    args: ['worker', '--config', stack.info.config],
    logFile: join(stack.info.dataDir, 'logs', 'another-worker.log'),
    watchdog,
    env: { ...plainEnvironment(), FILLSAFE_METRICS__PORT: '0', ...settings },
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    watchdog.close();
  };
  return { metrics: String(ready['metrics']), stop };
}
