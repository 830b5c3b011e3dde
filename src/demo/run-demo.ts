import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FillsafeClient } from '../client/client';
import { reconcileVenue } from '../client/reconcile';
import { loadConfig } from '../config/load';
import { startStack, type Stack } from '../dev/stack';
import { packageRoot } from '../package-root';
import { liveBreakerScene } from './breaker-scene';
import type { DemoReport } from './report';
import { KILL_INTENT, scenesFor } from './scenes';
import { killMidFlight, ordersOfTheDay, ordersOfTheScene, submitAll, submitTwice } from './trading-day';
import { WorkerCounts } from './worker-counts';

const VENUE = 'paper';
/** A breaker comes back in steps of 5 s by default: here nobody waits that long for a table. */
const DEMO_SETTINGS = { ...process.env, FILLSAFE_RETRY__CIRCUIT_BREAKER__RAMP_SECONDS: '1' };

export interface Demo {
  stack: Stack;
  report: DemoReport;
  expected: { done: number; refused: number };
  seconds: number;
  /** Stops the stack and removes its data; `keepData` leaves them for inspection. */
  end(options: { keepData: boolean }): Promise<void>;
}

/** Starts a stack on fresh data, lives a trading day with faults, and counts what came of it. `say` tells it as it goes. */
export async function runDemo(say: (line: string) => void): Promise<Demo> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-demo-'));
  const configFile = join(packageRoot, 'config', 'paper.yaml');
  const { namespace } = loadConfig({ file: configFile }).retry.redis;
  const scenes = scenesFor(namespace, VENUE);
  const scenarioFile = join(dataDir, 'scenario.json');
  writeFileSync(scenarioFile, JSON.stringify({ faults: scenes.map(({ fault }) => fault) }, null, 2));

  say('starting Temporal, Redis, the paper venue and a worker …');
  const stack = await startStack({ dataDir, configFile, scenarioFile, worker: true, env: DEMO_SETTINGS, log: say });
  const end = async ({ keepData }: { keepData: boolean }): Promise<void> => {
    await stack.stop();
    if (!keepData) rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const config = loadConfig({ file: stack.info.config, env: DEMO_SETTINGS });
    const client = await FillsafeClient.connect(config);
    const from = performance.now();
    const counts = new WorkerCounts();
    const readCounts = (): Promise<void> => counts.read(stack.pid('worker'), stack.info.metrics);

    const orders = ordersOfTheDay(VENUE);
    say(`submitting ${orders.length} orders; at ${scenes.length} of them something goes wrong:`);
    for (const { intentId, what } of scenes) say(`  ${intentId.padEnd(8)} ${what}`);
    const marked = new Set(scenes.map(({ intentId }) => intentId));
    let ended = 0;
    const day = submitAll(client, orders, (outcome) => {
      ended += 1;
      if (ended % 60 === 0) say(`${ended} of ${orders.length} jobs have ended`);
      if (outcome.status === 'refused') say(`${outcome.intentId} was refused: ${outcome.category}, ${outcome.message}`);
      if (marked.has(outcome.intentId) && outcome.status === 'done') {
        const { orderId, status } = outcome.result.order;
        say(`${outcome.intentId} is done all the same: order ${orderId} ${status}`);
      }
    });
    const kill = scenes.find(({ intentId }) => intentId === KILL_INTENT);
    const killed = await Promise.race([
      killMidFlight({
        paper: stack.info.paper,
        clientOrderId: kill?.clientOrderId ?? '',
        workerPid: () => stack.pid('worker'),
        beforeKill: readCounts,
      }),
      day.then(() => undefined),
    ]);
    if (killed !== undefined) say(`killed the worker (pid ${killed}, -9) while ${KILL_INTENT} was under way`);
    const outcomes = await day;

    say('submitting one of them twice more: by the same id, and as a workflow of another id');
    const twice = await submitTwice(client, orders);
    const orderId = twice.again.status === 'done' ? twice.again.result.order.orderId : '';
    say(`both times the answer was order ${orderId}, and nothing was sent`);
    if (twice.elsewhere.order.orderId !== orderId)
      say(`but the other workflow was told order ${twice.elsewhere.order.orderId}!`);

    const { paper } = stack.info;
    const scene = await liveBreakerScene({ client, config, paper, venue: VENUE, orders: ordersOfTheScene(VENUE), say });
    outcomes.push(...scene.outcomes);

    await readCounts();
    say('comparing every intent with the orders and trades of the venue …');
    const { duplicates, missing } = await reconcileVenue({ client, config, venue: VENUE });
    const truth = (await (await fetch(`${paper}/truth?totals`)).json()) as { totals: DemoReport['venue'] };
    const status = (wanted: string): number => outcomes.filter((outcome) => outcome.status === wanted).length;
    const { orders: taken, executions, duplicates: doubled } = truth.totals;
    const opened = counts.sum('fillsafe_circuit_breaker_transitions_total', { to: 'OPEN' });
    const report: DemoReport = {
      jobs: { submitted: outcomes.length, done: status('done'), refused: status('refused'), manual: status('manual') },
      venue: { orders: taken, executions, duplicates: doubled },
      guard: {
        replays: counts.sum('fillsafe_side_effects_total', { result: 'replayed' }),
        unknownResolved: counts.sum('fillsafe_side_effects_total', { result: 'resolved' }),
      },
      breaker: { opened, attemptsBurntWhileOpen: scene.burnt },
      reconcile: { duplicates, missing },
    };
    await client.close();
    return {
      stack,
      report,
      expected: { done: outcomes.length - 1, refused: 1 },
      seconds: (performance.now() - from) / 1_000,
      end,
    };
  } catch (error) {
    await end({ keepData: true });
    throw error;
  }
}
