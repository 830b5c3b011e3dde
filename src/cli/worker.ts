import { Command } from 'commander';
import pino from 'pino';
import { runWorker } from '../worker/run-worker';
import { commandConfig } from './command-config';

export function workerCommand(): Command {
  return new Command('worker')
    .description('runs a worker on the given services; logs JSON')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(async (options: { config?: string }) => {
      const { config } = commandConfig(options);
      const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info', redact: ['*.api_key', '*.api_secret'] });
      const worker = await runWorker(config, log);
      const stop = (): void => worker.shutdown();
      process.once('SIGINT', stop).once('SIGTERM', stop);
      log.info(
        { event: 'ready', pid: process.pid, metrics: worker.metricsAddress, venues: Object.keys(config.venues) },
        'worker ready',
      );
      await worker.done;
    });
}
