import fc from 'fast-check';
import { keepsTheTables, SEED, Tally, type FreshRedis, type Kind } from '../model/histories';
import { longer } from '../support/long-runs';
import { startTestRedis, type TestRedis } from '../support/redis';
import { describeOnEachRedis, redisVersionsHere } from '../support/redis-programs';

// Of all versions together: a real Redis is slow, the volume is in guard-in-process.test.ts.
const RUNS = { records: longer(180), store: longer(120), breaker: longer(120), orders: longer(90), looks: longer(90) };

const tally = new Tally();
const versions = redisVersionsHere();

describeOnEachRedis('the scripts keep the tables', (version) => {
  let server: TestRedis;
  let fresh: FreshRedis;

  beforeAll(async () => {
    server = await startTestRedis({ version });
    // It looks into and moves what only an operator may.
    const redis = server.admin;
    fresh = async () => {
      await redis.flushall();
      return { redis };
    };
  });
  afterAll(() => server.stop());

  async function check(kind: Kind): Promise<void> {
    await fc.assert(keepsTheTables(kind, fresh, tally), {
      numRuns: Math.ceil(RUNS[kind] / versions.length),
      // Each version gets histories of its own.
      seed: SEED + versions.indexOf(version),
      includeErrorInReport: true,
    });
  }

  it('whatever workers, look-ups, people, losses and time do to the records of two intents', async () => {
    await check('records');
  }, 900_000);

  it('whatever a Redis does that loses its data or goes back in time', async () => {
    await check('store');
  }, 900_000);

  it('whatever outcomes, probes, dead probers and time do to the breaker of many intents', async () => {
    await check('breaker');
  }, 900_000);

  it('whatever people order, and whenever Redis hears of it', async () => {
    await check('orders');
  }, 900_000);

  it('whatever the venue shows of acts in doubt, or does not', async () => {
    await check('looks');
  }, 900_000);
});

it('every row of all tables was taken on a real Redis', () => {
  process.stdout.write(`on Redis ${versions.join(', ')}: ${tally.toString()}`);
  expect(tally.missed).toEqual([]);
});
