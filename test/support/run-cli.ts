import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface CliEnd {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Lines of stdout, each parsed as JSON. */
  json<T = Record<string, unknown>>(): T[];
}

const SETTINGS = /^(FILLSAFE_|TEMPORAL_|REDIS_URL$|DATABASE_URL$)/;

/** Runs the real command line to its end. Settings of the surrounding shell are kept out. */
export function runCli(
  args: string[],
  { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {},
) {
  const outer = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
  const child = spawn(process.execPath, [join(__dirname, '..', '..', 'bin', 'fillsafe.js'), ...args], {
    env: { ...Object.fromEntries(outer), ...env },
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (text.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (text.stderr += String(chunk)));
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({
        code,
        ...text,
        json: <T>() =>
          text.stdout
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as T),
      }),
    );
  });
}
