import type { Reply } from './lua-vm';

type Value = string | Map<string, number> | string[][];

const OK = { ok: 'OK' };

/** The keys of a Redis that lives in the test's own process, and the commands that the guard and its tests use on them. */
export class Keyspace {
  /** Redis's clock. It stands still unless a test moves it. */
  micros = 1_800_000_000_000_000;
  private readonly values = new Map<string, { value: Value; expiresAt: number }>();

  constructor(private readonly expired: (key: string) => void = () => undefined) {}

  run([name = '', ...args]: string[]): Reply {
    const command = this.commands[name];
    if (command === undefined) throw new Error(`${name} is not one of the commands of test/support/memory-keyspace.ts`);
    return command(args);
  }

  get names(): string[] {
    return Object.keys(this.commands);
  }

  private readonly commands: Record<string, (args: string[]) => Reply> = {
    TIME: () => [String(Math.floor(this.micros / 1e6)), String(this.micros % 1e6)],
    GET: ([key = '']) => this.text(key),
    MGET: (keys) => keys.map((key) => this.text(key)),
    SET: ([key = '', value = '', ...options]) => this.set(key, value, options),
    MSET: (pairs) => {
      for (let i = 0; i < pairs.length; i += 2) this.set(pairs[i]!, pairs[i + 1]!, []);
      return OK;
    },
    DEL: (keys) => keys.filter((key) => this.find(key) !== undefined && this.values.delete(key)).length,
    PTTL: ([key = '']) => {
      const found = this.find(key);
      if (found === undefined) return -2;
      return found.expiresAt === Infinity ? -1 : found.expiresAt - this.now;
    },
    ZADD: ([key = '', score = '', member = '', ...more]) => {
      if (more.length > 0 || !Number.isFinite(Number(score))) throw new Error(`ZADD ${key} ${score} ${member} ${more}`);
      const set = this.at(key, () => new Map<string, number>());
      const added = set.has(member) ? 0 : 1;
      set.set(member, Number(score));
      return added;
    },
    ZREM: ([key = '', ...members]) => {
      const set = this.at(key, () => new Map<string, number>());
      const removed = members.filter((member) => set.delete(member)).length;
      if (set.size === 0) this.values.delete(key);
      return removed;
    },
    ZCARD: ([key = '']) => this.sorted(key).length,
    ZRANGE: ([key = '', from, to, scores]) => {
      if (from !== '0' || to !== '-1') throw new Error(`ZRANGE of all members alone: ${key} ${from} ${to}`);
      return this.sorted(key).flatMap(([member, score]) => (scores ? [member, String(score)] : [member]));
    },
    ZRANGEBYSCORE: ([key = '', from, to, , skip, most]) => {
      if (from !== '-inf') throw new Error(`ZRANGEBYSCORE from -inf alone: ${key} ${from}`);
      const members = this.sorted(key).filter(([, score]) => score <= Number(to));
      return members.slice(Number(skip ?? 0), Number(skip ?? 0) + Number(most ?? Infinity)).map(([member]) => member);
    },
    XADD: ([key = '', id, ...fields]) => {
      if (id !== '*') throw new Error(`XADD with an id of Redis's own alone: ${key} ${id}`);
      const stream = this.at(key, (): string[][] => []);
      stream.push(fields);
      return `${this.now}-${stream.length}`;
    },
    XLEN: ([key = '']) => this.at(key, (): string[][] => []).length,
    FLUSHALL: () => {
      this.values.clear();
      return OK;
    },
  };

  private get now(): number {
    return Math.floor(this.micros / 1_000);
  }

  private find(key: string): { value: Value; expiresAt: number } | undefined {
    const found = this.values.get(key);
    if (found === undefined || found.expiresAt > this.now) return found;
    this.values.delete(key);
    this.expired(key);
    return undefined;
  }

  private text(key: string): string | null {
    const value = this.find(key)?.value;
    return typeof value === 'string' ? value : null;
  }

  private set(key: string, value: string, [option, ms]: string[]): Reply {
    if (option !== undefined && (option !== 'PX' || !(Number(ms) > 0))) throw new Error(`SET ${key} … ${option} ${ms}`);
    this.values.set(key, { value, expiresAt: option === 'PX' ? this.now + Number(ms) : Infinity });
    return OK;
  }

  private at<Kind extends Value>(key: string, empty: () => Kind): Kind {
    const found = this.find(key) ?? { value: empty(), expiresAt: Infinity };
    this.values.set(key, found);
    return found.value as Kind;
  }

  private sorted(key: string): [string, number][] {
    const members = [...((this.find(key)?.value ?? []) as Map<string, number>)];
    return members.sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  }
}
