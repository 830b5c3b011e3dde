import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Watchdog } from './watchdog';

export interface ChildExit {
  code: number | null;
  signal: string | null;
}

/** A process that this one started, in a process group of its own: Ctrl-C in the terminal reaches it only through `stop`. */
export interface ChildHandle {
  readonly name: string;
  /** `undefined` when the command could not be started: `exited` resolves at once and `recentLines` says why. */
  readonly pid: number | undefined;
  /** Resolves, never rejects, when the process has ended and its output is read. */
  readonly exited: Promise<ChildExit>;
  readonly running: boolean;
  /** The last lines of its output, oldest first, stdout and stderr together. */
  recentLines(): string[];
  /** Signals the whole process group; does nothing once the process has ended. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after `graceMs` (default 10 000). Resolves when the process has ended. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

export interface ChildOptions {
  name: string;
  command: string;
  args: string[];
  /** Whole environment of the child; default is this process's. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Output is appended here; at a start with over 10 MB in it, the file moves to `<logFile>.1`. */
  logFile?: string;
  onLine?(line: string): void;
  /** Ends the child if this process dies. */
  watchdog?: Watchdog;
}

const RECENT_LINES = 20;
const LOG_LIMIT_BYTES = 10_000_000;
/** How long output may trail after the exit: a grandchild that holds the pipe open must not hold `exited` open. */
const TRAILING_OUTPUT_MS = 500;

export function startChild(options: ChildOptions): ChildHandle {
  const { name, command, args, env = process.env, cwd, logFile, onLine, watchdog } = options;
  const recent: string[] = [];
  const log = logFile === undefined ? undefined : openLog(logFile);
  const take = (line: string): void => {
    recent.push(line);
    if (recent.length > RECENT_LINES) recent.shift();
    log?.write(`${line}\n`);
    onLine?.(line);
  };

  const child = spawn(command, args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd && { cwd }) });
  const { pid } = child;
  if (pid !== undefined) watchdog?.register(pid);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', take);

  let running = pid !== undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    let end: ChildExit = { code: null, signal: null };
    const finish = (): void => {
      log?.end();
      resolve(end);
    };
    child.once('exit', (code, signal) => {
      running = false;
      end = { code, signal };
      if (pid !== undefined) watchdog?.unregister(pid);
      setTimeout(finish, TRAILING_OUTPUT_MS).unref();
    });
    child.once('close', finish);
    child.on('error', (error) => {
      if (pid !== undefined) return;
      take(`${command} could not be started: ${error.message}`);
      finish();
    });
  });

  function kill(signal: NodeJS.Signals): void {
    if (pid === undefined || !running) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // Gone since: its exit event is on the way.
    }
  }

  return {
    name,
    pid,
    exited,
    get running() {
      return running;
    },
    recentLines: () => [...recent],
    kill,
    async stop({ graceMs = 10_000 } = {}) {
      kill('SIGTERM');
      const timer = setTimeout(() => kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

function openLog(file: string): NodeJS.WritableStream {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  // A full disk must not take the stack down: the lines are still in `recentLines`.
  return createWriteStream(file, { flags: 'a' }).on('error', () => undefined);
}
