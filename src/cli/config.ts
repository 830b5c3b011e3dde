import { Command } from 'commander';
import { ConfigError, loadConfig } from '../config/load';
import { printConfig, withoutSecrets } from '../config/print';
import type { FillsafeConfig } from '../config/schema';
import { commandConfig } from './command-config';
import { EXIT } from './exit-codes';
import { count, print, printJson } from './output';

interface ConfigOptions {
  json?: boolean;
  config?: string;
}

export function configCommand(): Command {
  const command = new Command('config').description('checks and prints the configuration');
  const add = (name: string, description: string, action: (options: ConfigOptions) => Promise<void>): void => {
    command
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
      .option('--json', 'one line of JSON')
      .action(action);
  };
  add('check', 'names every setting that cannot be used and what is allowed; exit 2 if there is one', check);
  add('print', 'prints the configuration as it is in force, with secrets hidden', async (options) => {
    const { config } = commandConfig({ ...options, quiet: true });
    if (options.json) await printJson(withoutSecrets(config));
    else await print(printConfig(config).trimEnd());
  });
  return command;
}

async function check(options: ConfigOptions): Promise<void> {
  let config: FillsafeConfig;
  try {
    config =
      options.config === undefined ? commandConfig({ quiet: true }).config : loadConfig({ file: options.config });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.flatMap((problem) => problem.split('\n').map((line) => line.trim()));
    if (options.json) await printJson({ ok: false, problems });
    else await print(`${count(problems.length, 'problem')} in the configuration:\n  ${problems.join('\n  ')}`);
    process.exitCode = EXIT.BAD_USAGE;
    return;
  }
  const venues = Object.keys(config.venues);
  if (options.json) await printJson({ ok: true, problems: [] });
  else
    await print(
      `the configuration is good: lane ${config.lane}, mode ${config.mode}, venues ${venues.join(', ') || 'none'}`,
    );
}
