import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lauxlib, lua, lualib } from 'lua-wasm-bindings/dist/lua.51';

/** What a command of Redis answers a script. */
export type Reply = string | number | null | { ok: string } | (string | null)[];

const END = '\x1f';
const state = lauxlib.luaL_newstate();
const loaded = new Map<string, string>();
/** What Redis's Lua can do beyond calling commands. */
const OF_REDIS: Record<string, (text: string) => Reply> = {
  'cjson.decode': (text) => asLua(JSON.parse(text)),
  'redis.sha1hex': (text) => createHash('sha1').update(text).digest('hex'),
};

lualib.luaL_openlibs(state);
if (lauxlib.luaL_dostring(state, readFileSync(join(__dirname, 'lua-driver.lua'), 'utf8')) !== 0) throw lastError();

/** Reads a script in, once for each text; answers the name to run it by. Throws an Error where it is no Lua. */
export function loadScript(text: string): string {
  const known = loaded.get(text);
  if (known !== undefined) return known;
  const name = `script-${loaded.size}`;
  call('load', name, text);
  loaded.set(text, name);
  return name;
}

/**
 * Runs a script in Lua 5.1, the language of Redis's scripts, compiled to WebAssembly. `command` does what the script asks of
 * Redis. Answers the script's list; throws an Error with the script's own message when it fails.
 */
export function runScript(
  name: string,
  { keys, args, command }: { keys: string[]; args: string[]; command: (parts: string[]) => Reply },
): string[] {
  let said = call('begin', name, packed(keys), packed(args));
  while (said.startsWith('?')) {
    const [what = '', ...rest] = unpacked(said);
    const reply = OF_REDIS[what]?.(rest[0] ?? '') ?? command([what, ...rest]);
    said = call('reply', packedReply(reply));
  }
  if (said.startsWith('!')) throw new Error(said.slice(1));
  return unpacked(said);
}

function call(name: 'load' | 'begin' | 'reply', ...args: string[]): string {
  lua.lua_getglobal(state, name);
  for (const arg of args) lua.lua_pushstring(state, arg);
  if (lua.lua_pcall(state, args.length, 1, 0) !== 0) throw lastError();
  const said = lua.lua_tostring(state, -1);
  lua.lua_pop(state, 1);
  return said;
}

function lastError(): Error {
  const said = lua.lua_tostring(state, -1);
  lua.lua_pop(state, 1);
  return new Error(said);
}

/** A value of JSON, as an expression of Lua. */
function asLua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(asLua).join(',')}}`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, each]) => `[${asLua(key)}]=${asLua(each)}`)
      .join(',')}}`;
  }
  if (typeof value === 'string') return `"${value.replace(/["\\\n\r]/g, (each) => `\\${each.charCodeAt(0)}`)}"`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`cjson.decode of ${String(value)}`);
}

function packed(texts: (string | number)[]): string {
  const all = texts.map((each) => `${each}${END}`).join('');
  // Text crosses as it does in C, which ends at a NUL.
  if (all.split(END).length - 1 !== texts.length || all.includes('\0'))
    throw new Error(`texts with a control character cannot cross: ${JSON.stringify(texts)}`);
  return all;
}

function unpacked(said: string): string[] {
  return said.slice(1).split(END).slice(0, -1);
}

function packedReply(reply: Reply): string {
  if (reply === null) return '-';
  if (typeof reply === 'number') return `:${reply}`;
  if (typeof reply === 'string') return `+${reply}`;
  if (Array.isArray(reply)) return `*${packed(reply.map((each) => (each === null ? '-' : `+${each}`)))}`;
  return `=${reply.ok}`;
}
