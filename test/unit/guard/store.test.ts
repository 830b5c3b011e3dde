import { guardKeys } from '../../../src/guard/keys';
import { Store } from '../../../src/guard/store';

const unasked = (): never => {
  throw new Error('Redis was asked');
};

describe('what a worker remembers of a store', () => {
  const told: [venue: string, suspected: string][] = [];
  let store: Store;
  beforeEach(() => {
    told.length = 0;
    store = new Store(unasked, unasked, guardKeys('ns'), (venue, { suspected }) => told.push([venue, suspected]));
  });

  it('is the highest count of GOs, as replies on two connections may overtake each other', () => {
    store.learn('paper', '7:5:0:');
    store.learn('paper', '7:3:0:');
    expect(store.seen('paper')).toMatchObject({ epoch: '7', goes: 5 });
    // Of another store all counts are news.
    store.learn('paper', '8:1:0:');
    expect(store.seen('paper')).toMatchObject({ epoch: '8', goes: 1 });
  });

  it('is a sum over venues only where each was heard of', () => {
    store.learn('paper', '7:5:0:');
    expect(store.goes(['paper', 'binance'])).toBeUndefined();
    store.learn('binance', '9:2:0:');
    expect(store.goes(['paper', 'binance'])).toBe(7);
  });

  it('is told on when a suspicion begins and when it is over, once each', () => {
    expect(store.learn('paper', '7:5:900:Redis has gone back in time')).toEqual({
      suspected: 'Redis has gone back in time',
      leftMs: 900,
    });
    store.learn('paper', '7:6:400:Redis has gone back in time');
    expect(store.learn('paper', '7:6:0:Redis has gone back in time')).toEqual({ suspected: '', leftMs: 0 });
    expect(told).toEqual([
      ['paper', 'Redis has gone back in time'],
      ['paper', ''],
    ]);
  });

  it('is compared again with a Redis that gave no answer, and no more once it did', async () => {
    const answers = [Promise.resolve(['7:5:0:']), Promise.reject(new Error('away')), Promise.resolve(['8:0:900:lost'])];
    let asked = 0;
    const run = () => answers[asked++] ?? Promise.reject(new Error('asked too often'));
    store = new Store(run, unasked, guardKeys('ns'), (venue, { suspected }) => told.push([venue, suspected]));
    await store.open('paper', { quiesceMs: 900 });
    store.compareAgain();
    expect(asked).toBe(1);
    store.compare();
    await new Promise(setImmediate);
    expect(told).toEqual([]);
    store.compareAgain();
    await new Promise(setImmediate);
    expect(told).toEqual([['paper', 'lost']]);
    store.compareAgain();
    expect(asked).toBe(3);
  });
});
