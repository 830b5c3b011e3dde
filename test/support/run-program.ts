import { spawn } from 'node:child_process';

export interface ProgramEnd {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Lines of stdout, each parsed as JSON. */
  json<T = Record<string, unknown>>(): T[];
}

const SETTINGS = /^(FILLSAFE_|TEMPORAL_|REDIS_URL$|DATABASE_URL$)/;

/** Runs a program to its end. Settings of the surrounding shell are kept out. */
export function runProgram(
  command: string,
  args: string[],
  { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {},
): Promise<ProgramEnd> {
  const outer = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
  const child = spawn(command, args, { env: { ...Object.fromEntries(outer), ...env } });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (text.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (text.stderr += String(chunk)));
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
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
