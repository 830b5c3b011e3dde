import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root';
import { demoCommand } from './demo';
import { devCommand } from './dev';
import { EXIT } from './exit-codes';
import { workerCommand } from './worker';

/** Runs the command line and sets the exit code; errors are told in words, without a stack. */
export async function run(argv: string[]): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const program = new Command('fillsafe')
    .description('acts that must not happen twice, guarded and explained, on Temporal')
    .version(version)
    .showHelpAfterError('(add --help for what is allowed)')
    .exitOverride();
  for (const command of [devCommand(), demoCommand(), workerCommand()]) {
    program.addCommand(command.exitOverride());
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.DONE : EXIT.BAD_USAGE;
      return;
    }
    process.stderr.write(`fillsafe: ${error instanceof Error ? error.message : String(error)}\n`);
    const isConfig = typeof error === 'object' && error !== null && 'isConfigError' in error;
    process.exitCode = isConfig ? EXIT.BAD_USAGE : EXIT.FAILED;
  }
}
