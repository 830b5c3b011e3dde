import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { keepsTheTables, SEED, Tally, type FreshRedis, type Kind } from '../model/histories';
import { longer } from '../support/long-runs';
import { memoryRedis, type Step } from '../support/memory-redis';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis } from '../support/redis-programs';

const RUNS = longer(40);

// What is proved in this process holds for a real Redis as far as the two answer alike: the same calls at the same moments.
describeOnEachRedis('a Redis in this process answers every call of random histories as a real one', (version) => {
  let server: TestRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startTestRedis({ version });
    redis = server.admin;
  });
  afterAll(() => server.stop());

  it.each<Kind>(['records', 'store', 'breaker', 'orders'])(
    'of the kind %s',
    async (kind) => {
      const histories: Step[][] = [];
      const fresh: FreshRedis = () => {
        const steps: Step[] = [];
        histories.push(steps);
        return Promise.resolve(memoryRedis({ onStep: (step) => steps.push(step) }));
      };
      await fc.assert(keepsTheTables(kind, fresh, new Tally()), { numRuns: RUNS, seed: SEED + Number(version) * 10 });
      for (const steps of histories) {
        const replies = await answers(steps);
        // The first that differs, with the call.
        const other = steps.findIndex((step, i) => !isDeepStrictEqual(replies[i], replyOf(step, step.reply)));
        if (other >= 0) expect({ ...steps[other], reply: replies[other] }).toEqual(steps[other]);
      }
      const scripts = histories.flat().filter((step) => 'lua' in step).length;
      process.stdout.write(`Redis ${version}, ${kind}: ${scripts} scripts of ${histories.length} histories alike\n`);
    },
    600_000,
  );

  async function answers(steps: Step[]): Promise<unknown[]> {
    await redis.flushall();
    const shas = new Map<string, string>();
    for (const step of steps) {
      if (!('lua' in step) || shas.has(step.lua)) continue;
      shas.set(step.lua, (await redis.script('LOAD', heldClock(step.lua))) as string);
    }
    const pipeline = redis.pipeline();
    for (const step of steps) {
      if ('lua' in step) {
        const { keys, args, micros } = step;
        pipeline.hset('clock', 'seconds', Math.floor(micros / 1e6), 'micros', micros % 1e6);
        pipeline.evalsha(shas.get(step.lua) ?? '', keys.length, ...keys, ...args);
      } else {
        const [name = '', ...args] = step.command;
        pipeline.hset('clock', 'command', name);
        pipeline.call(name, ...args);
      }
    }
    const replies = (await pipeline.exec()) ?? [];
    return steps.map((step, i) => {
      const [error, reply] = replies[2 * i + 1] ?? [];
      return error ? error.message : replyOf(step, reply);
    });
  }
});

/** The script reads the time from a key that the test writes. */
function heldClock(lua: string): string {
  return lua.replaceAll("redis.call('TIME')", "redis.call('HMGET', 'clock', 'seconds', 'micros')");
}

/** Of a time to live the two share only whether there is one: that of a real Redis runs down by its own clock. */
function replyOf(step: Step, reply: unknown): unknown {
  return 'command' in step && step.command[0] === 'PTTL' ? Math.sign(Number(reply)) : reply;
}
