import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface CommandResult {
  ok: boolean;
  stdout: string;
  /** The last line of stderr with anything in it, or why the command did not run: what to show to a person. */
  problem: string;
}

/** Runs a program to its end, at most `timeoutMs`. Never rejects. */
export function runCommand(
  command: string,
  args: string[],
  { timeoutMs = 10_000, env = process.env }: { timeoutMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { timeout: timeoutMs, killSignal: 'SIGKILL', env, encoding: 'utf8', maxBuffer: 8_000_000 },
      (error, stdout, stderr) => {
        const lastLine = stderr.trim().split('\n').at(-1)?.trim();
        const why = error?.killed ? `no end after ${timeoutMs / 1000} s` : error?.message.split('\n')[0];
        resolve({ ok: error === null, stdout, problem: lastLine || why || '' });
      },
    );
  });
}

/** Full path of the first executable file `name` on PATH. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
