import fc from 'fast-check';
import { keepsTheTables, SEED, Tally, type FreshRedis, type Kind } from '../model/histories';
import { longer } from '../support/long-runs';
import { memoryRedis } from '../support/memory-redis';

const RUNS = {
  records: longer(1_150),
  store: longer(800),
  breaker: longer(250),
  orders: longer(200),
  looks: longer(200),
};
const TRANSITIONS = longer(100_000);

describe('the scripts keep the tables, in this process and in volume', () => {
  const tally = new Tally();
  const fresh: FreshRedis = () => Promise.resolve(memoryRedis());

  async function check(kind: Kind): Promise<void> {
    await fc.assert(keepsTheTables(kind, fresh, tally), {
      numRuns: RUNS[kind],
      seed: SEED,
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

  it('every row of all tables was taken, in at least 100,000 transitions', () => {
    process.stdout.write(`in process: ${tally.toString()}`);
    expect(tally.missed).toEqual([]);
    expect(tally.transitions).toBeGreaterThanOrEqual(TRANSITIONS);
  });
});
