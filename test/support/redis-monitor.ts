import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface SeenCommand {
  name: string;
  /** Redis's own word on which of the arguments are keys. */
  keys: string[];
}

/** Keys and counts come first and are short; of values only the beginning is kept. */
const KEPT_OF_AN_ARGUMENT = 120;

/**
 * Writes down every command that anybody but `admin` gives a Redis, those inside scripts too. Answers them when it is stopped.
 * Goes on after Redis was started again.
 */
export async function watchCommands(admin: Redis): Promise<() => Promise<SeenCommand[]>> {
  const monitor = await admin.monitor();
  monitor.on('error', () => undefined);
  const own = / addr=(\S+)/.exec((await admin.client('INFO')) as string)?.[1];
  const seen = new Map<string, string[]>();
  const end = randomUUID();
  let isDone = false;
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (args[1] === end) isDone = true;
    if (source === own || isDone) return;
    const kept = args.map((each) => each.slice(0, KEPT_OF_AN_ARGUMENT));
    seen.set(kept.join('\n'), kept);
  });
  return async () => {
    while (!isDone) {
      await admin.echo(end);
      await sleep(10);
    }
    monitor.disconnect();
    return Promise.all(
      [...seen.values()].map(async (args) => ({ name: (args[0] ?? '').toLowerCase(), keys: await keysOf(args) })),
    );
  };

  async function keysOf(args: string[]): Promise<string[]> {
    try {
      return (await admin.call('COMMAND', 'GETKEYS', ...args)) as string[];
    } catch (error) {
      if (/no key arguments/.test((error as Error).message)) return [];
      throw error;
    }
  }
}

/** The keys of these commands that are not the namespace's. */
export function keysOutside(namespace: string, commands: readonly SeenCommand[]): string[] {
  return [...new Set(commands.flatMap(({ keys }) => keys))].filter((key) => !key.startsWith(`${namespace}:{`));
}
