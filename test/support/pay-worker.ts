import { bundleWorkflowCode, DefaultLogger, Worker, type NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createFillsafePlugin, loadConfig, type FillsafeConfig, type FillsafeWorkerPlugin } from '../../src/index';
import type { payee } from './payouts';

export const THEIR_QUEUE = 'payday';

/** Short deadlines, so that absence is provable and a stuck worker noticed within a test's patience. */
export const QUICK = {
  venues: {
    paper: { adapter: 'paper', base_url: 'http://127.0.0.1:9', api_key: 'k', api_secret: 's' },
    real: { adapter: 'binance-spot', lane: 'live', base_url: 'http://127.0.0.1:9', api_key: 'k', api_secret: 's' },
  },
  venue_defaults: { recv_window_ms: 500, processing_bound_ms: 500, clock_error_ms: 100, send_within_ms: 1_000 },
  retry: {
    policy: {
      default: { heartbeat_seconds: 3, initial_interval_ms: 100, maximum_interval_ms: 1_000 },
      'payout.send': { start_to_close_seconds: 4 },
    },
    look_up: { initial_interval_ms: 100, maximum_interval_ms: 500 },
  },
};

/** Their worker, with all of the payee's effects. */
export async function payWorker(options: {
  connection: NativeConnection;
  plugin: FillsafeWorkerPlugin;
  workflowBundle: { code: string };
}): Promise<Worker> {
  const { plugin, ...rest } = options;
  return Worker.create({
    ...rest,
    taskQueue: THEIR_QUEUE,
    shutdownGraceTime: '1 second',
    // A workflow whose worker was killed waits this long for it.
    stickyQueueScheduleToStartTimeout: '1 second',
    activities: { 'greet.politely': (name: string) => Promise.resolve(`Dear ${name}`) },
    plugins: [plugin],
  });
}

export function payPlugin(
  redisUrl: string,
  { send, once, ask, blind, notify }: ReturnType<typeof payee>,
  log: Logger,
): { config: FillsafeConfig; plugin: Promise<FillsafeWorkerPlugin> } {
  const config = loadConfig({ env: {}, flags: { ...QUICK, redis: { url: redisUrl, command_timeout_ms: 500 } } });
  return { config, plugin: createFillsafePlugin({ config, log, ownEffects: [send, once, ask, blind, notify] }) };
}

export function payBundle(plugin: FillsafeWorkerPlugin): Promise<{ code: string }> {
  const logger = new DefaultLogger('ERROR');
  return bundleWorkflowCode({ workflowsPath: require.resolve('./payout-workflows'), plugins: [plugin], logger });
}
