import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root';
import type { RedisConnection } from './client-options';

const FOLDERS = { guard: 'src/guard/lua', breaker: 'src/breaker/lua' };
/** What scripts are composed of, by folder. */
const FRAGMENTS = {
  guard: ['record', 'store'],
  breaker: ['window', 'breaker', 'half-open', 'ramp', 'judge', 'outcome', 'orders', 'levels'],
};
const SCRIPTS = [
  'admit',
  'settle',
  'probed',
  'override',
  'standings',
  'look-begin',
  'look-end',
  'resolve',
  'sweep',
  'open-store',
  'trust-store',
] as const;
export type ScriptName = (typeof SCRIPTS)[number];

/** The text of a script with its `--#include` fragments in place. Its SHA is its version: old and new workers run side by side. */
export function scriptText(name: ScriptName): string {
  const text = readFileSync(join(packageRoot, FOLDERS.guard, `${name}.lua`), 'utf8');
  return text.replace(/^--#include (\S+)$/gm, (_line, fragment: string) => {
    const folder = (['guard', 'breaker'] as const).find((each) => FRAGMENTS[each].includes(fragment));
    if (folder === undefined) throw new Error(`${name}.lua includes an unknown fragment: ${fragment}`);
    return readFileSync(join(packageRoot, FOLDERS[folder], `${fragment}.lua`), 'utf8');
  });
}

/** Runs a script by its SHA (one round trip; one more after Redis lost its script cache). Answers its reply as strings. */
export type RunScript = (name: ScriptName, keys: string[], args: (string | number)[]) => Promise<string[]>;

export function scriptRunner(redis: RedisConnection): RunScript {
  const commands = redis as unknown as Record<
    string,
    (count: number, ...rest: (string | number)[]) => Promise<string[]>
  >;
  for (const name of SCRIPTS) redis.defineCommand(`fillsafe:${name}`, { lua: scriptText(name) });
  return (name, keys, args) => {
    const command = commands[`fillsafe:${name}`];
    if (command === undefined) throw new Error(`no script named ${name}`);
    return command.call(redis, keys.length, ...keys, ...args);
  };
}
