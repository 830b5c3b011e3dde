import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../src/dev/cache-dir';
import { runCommand } from '../../src/dev/run-command';
import { runProgram, type ProgramEnd } from './run-program';

const PACKAGE = 'temporalio==1.35.0';

/** Ends by itself: while the interpreter does, the SDK's own threads at times abort it, and the exit code is lost. */
const RUNNER = `
import os, runpy, sys, traceback
code, sys.argv = 0, sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code if isinstance(end.code, int) else 1
    if isinstance(end.code, str): print(end.code, file=sys.stderr)
except BaseException:
    code = 1
    traceback.print_exc()
sys.stdout.flush(); sys.stderr.flush()
os._exit(code or 0)
`;

/** Runs Python scripts with Temporal's own SDK for it, which pip fetches once into the cache directory. */
export async function pythonWithTemporal(): Promise<
  (script: string, args: string[], env: Record<string, string>) => Promise<ProgramEnd>
> {
  const target = join(cacheDir(), `python-${PACKAGE.replace('==', '-')}`);
  if (!existsSync(target)) {
    mkdirSync(cacheDir(), { recursive: true });
    // Whole or not at all, whoever else fetches it at the same time.
    const own = `${target}.${process.pid}`;
    const fetched = await runCommand('python3', ['-m', 'pip', 'install', '--quiet', '--target', own, PACKAGE], {
      timeoutMs: 300_000,
    });
    if (!fetched.ok) throw new Error(`${PACKAGE} cannot be had from pip: ${fetched.problem}`);
    if (existsSync(target)) rmSync(own, { recursive: true });
    else renameSync(own, target);
  }
  return (script, args, env) =>
    runProgram('python3', ['-c', RUNNER, script, ...args], { env: { ...env, PYTHONPATH: target } });
}
