import type { Redis } from 'ioredis';
import { loadScript, runScript, type Reply } from './lua-vm';
import { Keyspace } from './memory-keyspace';

/** A script that ran, or a plain command; an expiry shows as a DEL, as it does to a replica. */
export type Step =
  | { lua: string; keys: string[]; args: string[]; micros: number; reply: string[] }
  | { command: string[]; reply: unknown };

/** Redis's clock, where a test holds it. */
export interface Clock {
  nowMs(): number;
  advance(ms: number): void;
}

/**
 * A Redis in this process, as the guard's client sees it: its scripts run in a real Lua 5.1, its clock is the test's. Memory
 * never runs out here, nothing is lost and no two scripts share a microsecond.
 */
export function memoryRedis({
  mutate = (lua) => lua,
  onStep = () => undefined,
}: { mutate?: (lua: string) => string; onStep?: (step: Step) => void } = {}): { redis: Redis; clock: Clock } {
  const keyspace = new Keyspace((key) => onStep({ command: ['DEL', key], reply: 1 }));

  function script(name: string, { lua, keys, args }: { lua: string; keys: string[]; args: string[] }): string[] {
    // What has expired is gone before the script that asks for it begins.
    keyspace.run(['MGET', ...keys]);
    const { micros } = keyspace;
    const reply = runScript(name, { keys, args, command: (parts) => keyspace.run(parts) });
    onStep({ lua, keys, args, micros, reply });
    keyspace.micros += 1;
    return reply;
  }

  function command(name: string, args: unknown[]): Exclude<Reply, { ok: string }> {
    const parts = [name, ...args.flat().map(String)];
    const reply = keyspace.run(parts);
    const shown = typeof reply === 'object' && reply !== null && 'ok' in reply ? reply.ok : reply;
    onStep({ command: parts, reply: Array.isArray(shown) ? [...shown] : shown });
    return shown;
  }

  const client: Record<string, unknown> = {
    defineCommand: (name: string, { lua }: { lua: string }): void => {
      const text = mutate(lua);
      const loaded = loadScript(text);
      // An error of a script rejects, as one of a Redis does.
      client[name] = async (count: number, ...rest: (string | number)[]): Promise<string[]> =>
        script(loaded, { lua: text, keys: rest.slice(0, count).map(String), args: rest.slice(count).map(String) });
    },
    pipeline: () => {
      const replies: [null, unknown][] = [];
      const pipeline: Record<string, unknown> = { exec: () => Promise.resolve(replies) };
      for (const name of keyspace.names) {
        pipeline[name.toLowerCase()] = (...args: unknown[]) => {
          replies.push([null, command(name, args)]);
          return pipeline;
        };
      }
      return pipeline;
    },
    disconnect: () => undefined,
  };
  for (const name of keyspace.names) {
    client[name.toLowerCase()] = async (...args: unknown[]): Promise<unknown> => command(name, args);
  }
  const clock: Clock = {
    nowMs: () => Math.floor(keyspace.micros / 1_000),
    advance: (ms) => (keyspace.micros += ms * 1_000),
  };
  return { redis: client as unknown as Redis, clock };
}
