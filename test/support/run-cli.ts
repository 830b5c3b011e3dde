import { join } from 'node:path';
import { runProgram, type ProgramEnd } from './run-program';

export type CliEnd = ProgramEnd;

const FILLSAFE = join(__dirname, '..', '..', 'bin', 'fillsafe.js');

/** Runs the real command line to its end. */
export function runCli(args: string[], options: Parameters<typeof runProgram>[2] = {}): Promise<CliEnd> {
  return runProgram(process.execPath, [FILLSAFE, ...args], options);
}
