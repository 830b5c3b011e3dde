import { join } from 'node:path';
import { packageRoot } from '../package-root';
import { startChild, type ChildHandle } from './child';
import type { Watchdog } from './watchdog';

/** A child process of fillsafe's own code that has said that it is ready. */
export interface NodeChild {
  child: ChildHandle;
  /** What it said. */
  ready: Record<string, unknown>;
}

/**
 * Starts a script of the build and waits for its line `{"event":"ready",…}` on stdout.
 * Throws with the last lines of its output when it ends or stays silent for `timeoutMs` (default 60 s).
 */
export async function startNodeChild(options: {
  name: string;
  script: string;
  args: string[];
  logFile: string;
  watchdog: Watchdog;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
}): Promise<NodeChild> {
  const { name, script, args, logFile, watchdog, timeoutMs = 60_000 } = options;
  let onReady: (said: Record<string, unknown>) => void;
  const ready = new Promise<Record<string, unknown>>((resolve) => (onReady = resolve));
  const child = startChild({
    name,
    command: process.execPath,
    args: [join(packageRoot, script), ...args],
    logFile,
    watchdog,
    ...(options.env && { env: options.env }),
    onLine: (line) => {
      if (!line.includes('"event":"ready"')) return;
      try {
        onReady(JSON.parse(line) as Record<string, unknown>);
      } catch {
        // Not the line that was meant.
      }
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), timeoutMs)));
  const said = await Promise.race([ready, child.exited.then(() => undefined), silent]);
  clearTimeout(timer);
  if (said) return { child, ready: said };
  await child.stop({ graceMs: 1_000 });
  throw new Error(`${name} did not start:\n${child.recentLines().join('\n')}\n(its log: ${logFile})`);
}
