import { setTimeout as sleep } from 'node:timers/promises';
import type { TestRedis } from './redis';

export interface SeenCommand {
  name: string;
  /** Redis's own word on which of the arguments are keys. */
  keys: string[];
}

/** Writes down every command that anybody but `admin` gives a Redis, those inside scripts too. Answers them when it is stopped. */
export async function watchCommands({ admin }: TestRedis): Promise<() => Promise<SeenCommand[]>> {
  const monitor = await admin.monitor();
  const own = / addr=(\S+)/.exec((await admin.client('INFO')) as string)?.[1];
  const seen = new Map<string, string[]>();
  let isDone = false;
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== own) seen.set(JSON.stringify(args), args);
    else if (args[1] === 'seen all') isDone = true;
  });
  return async () => {
    await admin.echo('seen all');
    while (!isDone) await sleep(10);
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
