import { Command } from 'commander';
import { startStack } from '../dev/stack';
import type { StackInfo } from '../dev/stack-file';

export function devCommand(): Command {
  return new Command('dev')
    .description(
      'starts what is missing of Temporal, Redis and the paper venue, and a worker; Ctrl-C stops all and keeps the data',
    )
    .option('--json', 'print one line of JSON when everything is ready')
    .option(
      '--data-dir <dir>',
      'keeps everything; the same directory resumes',
      process.env['FILLSAFE_DATA_DIR'] ?? '.fillsafe',
    )
    .option('--config <file>', 'configuration file; default config/paper.yaml of this package')
    .option('--no-worker', 'start the services only')
    .action(async (options: { json?: boolean; dataDir: string; config?: string; worker: boolean }) => {
      const log = (line: string): void => void process.stderr.write(`${line}\n`);
      const stack = await startStack({
        dataDir: options.dataDir,
        configFile: options.config,
        worker: options.worker,
        log,
      });
      process.stdout.write(
        options.json
          ? `${JSON.stringify(stack.info)}\n`
          : `${addresses(stack.info)}\nCtrl-C stops everything and keeps the data.\n`,
      );
      await stopSignal();
      await stack.stop();
    });
}

/** Where everything is, for people. */
export function addresses(info: StackInfo): string {
  const rows = [
    ['Temporal UI', info.ui ?? '(of your own Temporal)'],
    ['Temporal', info.temporal],
    ['Redis', info.redis],
    ['paper venue', `${info.paper}/truth`],
    ['metrics', info.metrics === null ? '(no worker)' : `${info.metrics}/metrics`],
    ['data', info.dataDir],
  ];
  return rows.map(([name = '', value = '']) => `  ${name.padEnd(12)} ${value}`).join('\n');
}

/** Resolves at Ctrl-C or SIGTERM; from then on neither interrupts what follows. */
export async function stopSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = (): void => resolve();
    process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  });
  process.stderr.write('stopping …\n');
}
