import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root';
import { EXIT } from './exit-codes';
import { isUsageError } from './usage-error';

/** Loaded when they are asked for: a worker's native parts would cost every command half a second. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  dev: async () => (await import('./dev.js')).devCommand(),
  demo: async () => (await import('./demo.js')).demoCommand(),
  worker: async () => (await import('./worker.js')).workerCommand(),
  submit: async () => (await import('./submit.js')).submitCommand(),
  jobs: async () => (await import('./jobs.js')).jobsCommand(),
  job: async () => (await import('./job.js')).jobCommand(),
  breaker: async () => (await import('./breaker.js')).breakerCommand(),
  guard: async () => (await import('./guard.js')).guardCommand(),
  reconcile: async () => (await import('./reconcile.js')).reconcileCommand(),
  status: async () => (await import('./status.js')).statusCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  config: async () => (await import('./config.js')).configCommand(),
};

/** Runs the command line and sets the exit code; errors are told in words, without a stack. */
export async function run(argv: string[]): Promise<void> {
  // A reader that has seen enough (`fillsafe jobs | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.DONE);
  });
  try {
    await (await program(argv[2])).parseAsync(argv);
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

async function program(wanted: string | undefined): Promise<Command> {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const all = new Command('fillsafe')
    .description('acts that must not happen twice, guarded and explained, on Temporal')
    .version(version);
  const load = wanted === undefined ? undefined : COMMANDS[wanted];
  // Help and a misspelt name need them all.
  for (const each of load ? [load] : Object.values(COMMANDS)) all.addCommand(await each());
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
