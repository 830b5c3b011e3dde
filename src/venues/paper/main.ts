import { Command, InvalidArgumentError } from 'commander';
import { defaultPaperConfigFile, loadPaperConfig } from './config';
import { loadScenario } from './fault-schema';
import { startPaperVenue } from './server';

interface Flags {
  port: number;
  host: string;
  dataDir?: string;
  config: string;
  scenario?: string;
  exitWithParent: boolean;
}

const program = new Command('paper-venue')
  .description("a trading venue on this machine, with Binance spot's REST wire format and faults on demand")
  .option('--port <port>', 'port to listen on; 0 takes a free one', readPort, 0)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--data-dir <dir>', 'keeps orders and balances here over restarts')
  .option('--config <file>', 'settings, YAML or JSON', defaultPaperConfigFile)
  .option('--scenario <file>', 'faults from the start, YAML or JSON')
  .option('--exit-with-parent', 'ends when standard input closes', false);

async function main(): Promise<void> {
  const flags = program.parse().opts<Flags>();
  const venue = await startPaperVenue({
    config: loadPaperConfig(flags.config),
    port: flags.port,
    host: flags.host,
    faults: flags.scenario === undefined ? [] : loadScenario(flags.scenario),
    ...(flags.dataDir !== undefined && { dataDir: flags.dataDir }),
  });
  const stop = (): void => void venue.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (flags.exitWithParent) {
    // A parent that dies, however hard, closes its end of the pipe.
    process.stdin.once('end', stop).once('error', stop).resume();
  }
  process.stdout.write(`${JSON.stringify({ event: 'ready', url: venue.url, port: venue.port, pid: process.pid })}\n`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('give a port between 0 and 65535');
}

main().catch((error: unknown) => {
  process.stderr.write(`paper venue: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
});
