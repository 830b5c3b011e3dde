import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { FillsafeClient } from '../../../src/client/client';
import { openGuard } from '../../../src/client/open-guard';
import { loadConfig } from '../../../src/config/load';
import type { FillsafeConfig } from '../../../src/config/schema';
import { WORKFLOW_QUEUE } from '../../../src/domain/job-types';
import type { ChildHandle } from '../../../src/dev/child';
import { startNodeChild } from '../../../src/dev/node-child';
import { startWatchdog } from '../../../src/dev/watchdog';
import type { Guard } from '../../../src/guard/guard';
import { createVenues } from '../../../src/venues/create-venues';
import type { VenuePort } from '../../../src/venues/port';
import { plainEnvironment, testStack, type TestStack } from '../stack';

/** Where a job's process ends or stops, by the names that `points.cjs` gives. */
export interface CrashOrder {
  point: string;
  signal: 'SIGKILL' | 'SIGSTOP';
}

export interface LaneWorker {
  readonly pid: number;
  /** By SIGKILL; another takes its place. */
  kill(): void;
  stop(): Promise<void>;
}

/**
 * A part of the stack with jobs and workers of its own: a Temporal namespace. What happens to a worker here touches the jobs
 * of this lane alone, so that many crashes can be tried side by side. Redis and the venue are shared by all.
 */
export interface Lane {
  config: FillsafeConfig;
  client: FillsafeClient;
  /** Starts a worker that crashes where it was told; one that is killed is started again, as a supervisor would. */
  startWorker(settings?: Record<string, string>): Promise<LaneWorker>;
  /** Tells the workers where to crash in the course of a job, in this order, each once. */
  crash(workflowId: string, orders: CrashOrder[]): void;
  /** The points that a job has passed so far, and the crashes, each with the process's id. */
  passed(workflowId: string): { pid: number; point: string }[];
  /** Waits until the job has stopped a worker (SIGSTOP); answers that worker's process id. */
  untilStopped(workflowId: string): Promise<number>;
}

export interface Lanes {
  stack: TestStack;
  /** The venue and the guard's store, as the test asks them. */
  venue: VenuePort;
  guard: Guard;
  open(name: string, settings?: Record<string, string>): Promise<Lane>;
  end(): Promise<void>;
}

/** Short times, so that absence is soon proved and a killed looker soon replaced; and no breaker, as every crash is a failure. */
const SETTINGS = {
  FILLSAFE_METRICS__PORT: '0',
  FILLSAFE_RETRY__LOOK_UP__START_TO_CLOSE_SECONDS: '8',
  FILLSAFE_RETRY__CIRCUIT_BREAKER__ENABLED: 'false',
};

export async function crashLanes(): Promise<Lanes> {
  const stack = await testStack({ worker: false, configFile: 'test/support/config/quick.yaml' });
  const { dataDir, config: configFile } = stack.stack.info;
  const watchdog = startWatchdog();
  const store = await openGuard(stack.config);
  const venue = createVenues(stack.config).get('paper') as VenuePort;
  await venue.syncClock();
  // The market goes wherever the first order of a symbol is: a far price of a later one lets that rest.
  const first = { intentId: 'first', venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT' } as const;
  await venue.placeOrder({ ...first, quantity: '23', price: '0.00141' }, 'first', () => undefined);
  const closing: (() => Promise<unknown>)[] = [];

  async function open(name: string, settings: Record<string, string> = {}): Promise<Lane> {
    const dir = join(dataDir, 'crash', name);
    mkdirSync(dir, { recursive: true });
    await registerNamespace(stack, name);
    const env = { ...SETTINGS, FILLSAFE_TEMPORAL__NAMESPACE: name, ...settings };
    const config = loadConfig({ file: configFile, env });
    const client = await FillsafeClient.connect(config);
    closing.push(() => client.close());

    async function startProcess(more: Record<string, string>): Promise<ChildHandle> {
      const hook = `--require ${join(__dirname, 'points.cjs')}`;
      const { child } = await startNodeChild({
        name: `worker of ${name}`,
        script: 'bin/fillsafe.js',
        args: ['worker', '--config', configFile],
        logFile: join(dataDir, 'logs', `${name}.log`),
        watchdog,
        env: { ...plainEnvironment(), ...env, ...more, NODE_OPTIONS: hook, CRASH_POINTS_DIR: dir },
      });
      return child;
    }

    async function startWorker(more: Record<string, string> = {}): Promise<LaneWorker> {
      let child = await startProcess(more);
      let stopping = false;
      const watch = (async () => {
        for (;;) {
          await child.exited;
          if (stopping) return;
          child = await startProcess(more);
        }
      })();
      const stop = async (): Promise<void> => {
        stopping = true;
        child.kill('SIGCONT');
        await child.stop({ graceMs: 5_000 });
        await watch;
      };
      closing.push(stop);
      return {
        get pid() {
          return child.pid!;
        },
        kill: () => child.kill('SIGKILL'),
        stop,
      };
    }

    const fileOf = (workflowId: string, kind: string): string => join(dir, `${encodeURIComponent(workflowId)}.${kind}`);

    function passed(workflowId: string): { pid: number; point: string }[] {
      const file = fileOf(workflowId, 'passed');
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
      return lines.map((line) => ({ pid: parseInt(line, 10), point: line.slice(line.indexOf(' ') + 1) }));
    }

    return {
      config,
      client,
      startWorker,
      passed,
      crash: (workflowId, orders) => writeFileSync(fileOf(workflowId, 'orders'), JSON.stringify(orders)),
      untilStopped: async (workflowId) => {
        for (;;) {
          const stopped = passed(workflowId).find(({ point }) => point === 'SIGSTOP');
          if (stopped) return stopped.pid;
          await sleep(20);
        }
      },
    };
  }

  return {
    stack,
    venue,
    guard: store.guard,
    open,
    end: async () => {
      await Promise.all(closing.map((close) => close()));
      store.close();
      watchdog.close();
      await stack.end();
    },
  };
}

async function registerNamespace({ client: { temporal } }: TestStack, namespace: string): Promise<void> {
  const { workflowService } = temporal;
  const workflowExecutionRetentionPeriod = msToTs('72h');
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  const known = (): Promise<boolean> =>
    workflowService.listWorkflowExecutions({ namespace, pageSize: 1 }).then(
      () => true,
      () => false,
    );
  while (!(await known())) await sleep(100);
  // The lanes share a store, which Temporal's namespaces must not: the sweep of one would take the jobs of another for ended ones.
  await new Client({ connection: temporal.connection, namespace }).schedule.create({
    scheduleId: 'sweep:paper',
    spec: {},
    action: { type: 'startWorkflow', workflowType: 'sweep', taskQueue: WORKFLOW_QUEUE, args: ['paper'] },
    state: { paused: true },
  });
}
