import fc from 'fast-check';
import { Guard } from '../../src/guard/guard';
import { keepsTheTables, SEED, Tally, type Kind } from '../model/histories';
import type * as Harness from '../support/effect-harness';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { longer } from '../support/long-runs';
import { memoryRedis } from '../support/memory-redis';
import { CLAIMS, type Claim } from '../support/planted/claims';
import { BREAKER_BUGS } from '../support/planted/breaker-bugs';
import { LOOK_BUGS } from '../support/planted/look-bugs';
import { ORDER_BUGS } from '../support/planted/order-bugs';
import { RECORD_BUGS } from '../support/planted/record-bugs';
import { loadPlanted, plant, type Bug } from '../support/planted/plant';
import { TYPESCRIPT_BUGS } from '../support/planted/typescript-bugs';
import { startTestRedis } from '../support/redis';

/** Histories within which a bug must show, whatever they begin with. */
const MOST_RUNS = 1_000;
const SEEDS = Array.from({ length: longer(1) }, (_, i) => SEED + i);

/** Random histories on scripts with the bug. Answers how many it took, `undefined` when none showed it. */
async function runsUntilCaught(
  kind: Kind,
  bug: Bug | undefined,
  { seed = SEED, numRuns = MOST_RUNS } = {},
): Promise<number | undefined> {
  const mutate = bug ? plant(bug) : (lua: string): string => lua;
  // Scripts that Lua cannot read fail here and count for nothing.
  new Guard(memoryRedis({ mutate }).redis, { namespace: 'test', ttlMs: 1 });
  const property = keepsTheTables(kind, () => Promise.resolve(memoryRedis({ mutate })), new Tally());
  const { failed, numRuns: runs, errorInstance } = await fc.check(property, { numRuns, seed, endOnFailure: true });
  // A script that fails altogether is not what was planted.
  if (String(errorInstance).includes('did not answer')) throw errorInstance;
  return failed ? runs : undefined;
}

/** Whether the claim fails with the bug. */
async function breaks(claim: Claim, bug: Bug | undefined): Promise<boolean> {
  const harness = loadPlanted<typeof Harness>('test/support/effect-harness.ts', bug);
  const memory = memoryRedis();
  const job = harness.effectHarness(memory.redis, { namespace: 'test' });
  try {
    await CLAIMS[claim]({ ...memory, job, harness });
    return false;
  } catch (error) {
    // So is a program that fails altogether.
    if (!(error instanceof Error && 'matcherResult' in error)) throw error;
    return true;
  }
}

describe('a bug that is planted', () => {
  const table: [bug: string, by: string, after: string][] = [];
  const needed: Record<Kind, number> = { records: 0, store: 0, breaker: 0, orders: 0, looks: 0 };

  afterAll(() => {
    const [first, second] = [0, 1].map((i) => Math.max(...table.map((row) => (row[i] ?? '').length)));
    const lines = table.map((row) => `${row[0].padEnd(first ?? 0)} | ${row[1].padEnd(second ?? 0)} | ${row[2]}`);
    process.stdout.write(`planted bug | caught by | after how many runs\n${lines.join('\n')}\n`);
  });

  it.each([...RECORD_BUGS, ...BREAKER_BUGS, ...ORDER_BUGS, ...LOOK_BUGS])(
    'in the scripts is caught by random histories: $name',
    async (bug) => {
      const runs: (number | undefined)[] = [];
      for (const seed of SEEDS) runs.push(await runsUntilCaught(bug.by, bug, { seed }));
      expect(runs).not.toContain(undefined);
      needed[bug.by] = Math.max(needed[bug.by], runs[0] ?? 0);
      table.push([bug.name, `histories: ${bug.by}`, runs.join(', ')]);
    },
    600_000,
  );

  it.each(TYPESCRIPT_BUGS)('around the scripts is caught by a claim about attempts: $name', async (bug) => {
    expect(await breaks(bug.by, bug)).toBe(true);
    table.push([bug.name, bug.by, '1']);
  });

  it.each([
    {
      name: 'a doubt is first written, then taken from the in-flight set',
      find: "redis.call('ZREM', keyInflight, member)\n  saveUnresolved(keyRecord, keyInflight, member, record)",
      replace: 'saveUnresolved(keyRecord, keyInflight, member, record)',
      ending: 'doubt' as const,
    },
    {
      name: 'a result is first written, then taken from the in-flight set',
      find: "redis.call('ZREM', keyInflight, member)\n  redis.call('SET', keyRecord, packRecord(record), 'PX', ttlMs)",
      replace:
        "redis.call('SET', keyRecord, packRecord(record), 'PX', ttlMs)\n  redis.call('ZREM', keyInflight, member)",
      ending: 'done' as const,
    },
  ])('in the order of writes is caught by a full Redis: $name', async ({ ending, ...bug }) => {
    const server = await startTestRedis();
    try {
      expect(await settlesWhenFull(ending, undefined)).toBe('OK');
      expect(await settlesWhenFull(ending, { ...bug, file: 'src/guard/lua/record.lua' })).toContain('OOM');
      table.push([bug.name, 'a full Redis', '1']);
    } finally {
      await server.stop();
    }

    async function settlesWhenFull(ends: 'done' | 'doubt', planted: Bug | undefined): Promise<string> {
      const redis = await server.connect();
      await server.admin.config('SET', 'maxmemory', '0');
      const define = redis.defineCommand.bind(redis);
      const change = planted ? plant(planted) : (lua: string): string => lua;
      redis.defineCommand = (name, { lua = '' }) => define(name, { lua: change(lua) });
      const guard = new Guard(redis, { namespace: server.namespace(), ttlMs: 100_000 });
      await guard.store.open('paper', { quiesceMs: 1_000, neverUsed: true });
      const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
      await server.admin.set('filler', 'x'.repeat(500_000));
      await server.admin.config('SET', 'maxmemory', '100000');
      const end = guard.settle(placing('a'), settleRequest({ fence, ending: ends, payload: '{"why":"w"}' }));
      return end.then(
        ({ kind }) => kind,
        (error: Error) => error.message,
      );
    }
  });

  it.each(Object.keys(CLAIMS) as Claim[])('is what breaks it, for without one it holds: %s', async (claim) => {
    expect(await breaks(claim, undefined)).toBe(false);
  });

  it('is what the same histories show, for without one they show nothing', async () => {
    for (const kind of Object.keys(needed) as Kind[]) {
      expect(await runsUntilCaught(kind, undefined, { numRuns: needed[kind] })).toBeUndefined();
    }
    table.push(['(none)', 'nothing', Object.values(needed).join(' + ')]);
  }, 600_000);

  it('is refused where the file no longer holds the text that it changes', () => {
    const gone = { name: 'an old bug', file: 'src/guard/lua/settle.lua', find: 'no such line', replace: '' };
    expect(() => plant(gone)).toThrow(
      '"an old bug" is planted nowhere: src/guard/lua/settle.lua holds its text 0 times',
    );
  });
});
