import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root';
import { configCommand } from './config';
import { demoCommand } from './demo';
import { devCommand } from './dev';
import { EXIT } from './exit-codes';
import { doctorCommand } from './doctor';
import { guardCommand } from './guard';
import { jobCommand } from './job';
import { jobsCommand } from './jobs';
import { statusCommand } from './status';
import { reconcileCommand } from './reconcile';
import { submitCommand } from './submit';
import { isUsageError } from './usage-error';
import { workerCommand } from './worker';

/** Runs the command line and sets the exit code; errors are told in words, without a stack. */
export async function run(argv: string[]): Promise<void> {
  // A reader that has seen enough (`fillsafe jobs | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.DONE);
  });
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.DONE : EXIT.BAD_USAGE;
      return;
    }
    process.stderr.write(`fillsafe: ${error instanceof Error ? error.message : String(error)}\n`);
    // Temporal's native runtime, once it has started, would keep the process alive.
    process.exit(isConfigError(error) || isUsageError(error) ? EXIT.BAD_USAGE : EXIT.FAILED);
  }
}

function program(): Command {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const all = new Command('fillsafe')
    .description('acts that must not happen twice, guarded and explained, on Temporal')
    .version(version);
  const commands = [
    [devCommand(), demoCommand(), workerCommand()],
    [submitCommand(), jobsCommand(), jobCommand(), guardCommand()],
    [reconcileCommand(), statusCommand(), doctorCommand(), configCommand()],
  ];
  for (const command of commands.flat()) all.addCommand(command);
  throwInsteadOfExit(all);
  return all;
}

/** Commander would end the process with 1 where the contract says 2; each command is told for itself. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for what is allowed)');
  for (const below of command.commands) throwInsteadOfExit(below);
}

function isConfigError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'isConfigError' in error;
}
