import type { Redis } from 'ioredis';
import { levelsOf } from '../../src/breaker/levels';
import type { Admission, Ending, Settlement } from '../../src/guard/answers';
import { Guard } from '../../src/guard/guard';
import { admitRequest, breaker, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';

const HOUR_MS = 3_600_000;

describe("the venue's own “come back at”", () => {
  let server: TestRedis;
  let redis: Redis;
  let guard: Guard;
  let count = 0;

  beforeAll(async () => {
    server = await startTestRedis();
    redis = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    guard = new Guard(redis, { namespace: server.namespace(), ttlMs: 100_000 });
    await guard.store.open('paper', { quiesceMs: 1_000, neverUsed: true });
  });

  /** An act of its own; `hears`: how it ends, and what the venue says with that. */
  function act(jobType = 'order.place', account?: string) {
    const levels = levelsOf({ jobType, account }, { venue: breaker, jobType: breaker, account: breaker });
    const ref = { ...placing(`h${++count}`), jobType };
    return {
      asks: (): Promise<Admission> => {
        const held = { levels, held: jobType === 'order.place', canProbe: false };
        return guard.admit(ref, admitRequest({ breaker: held }));
      },
      hears: (fence: string, level: string, ms: number, why: string): Promise<Settlement> => {
        const hold = { concerns: 'venue' as const, level, ms, why };
        const report = { levels, health: 'none' as const, worker: 0, hold };
        return guard.settle(ref, settleRequest({ fence, ending: 'release', breaker: report }));
      },
      ends: (fence: string, ending: Ending) => guard.settle(ref, settleRequest({ fence, ending })),
    };
  }
  async function heard(level: string, jobType: string, account?: string): Promise<void> {
    const mine = act(jobType, account);
    await mine.hears(fenceOf(await mine.asks()), level, HOUR_MS, `of ${level}`);
  }

  it('for an account holds what is for it, cancels too, and nothing else', async () => {
    await heard('account:main', 'order.place', 'main');
    for (const jobType of ['order.place', 'order.cancel'])
      expect(await act(jobType, 'main').asks()).toMatchObject({ kind: 'OPEN', level: 'account:main' });
    for (const other of [act('order.place', 'other'), act('order.place'), act('order.cancel')])
      expect(await other.asks()).toMatchObject({ kind: 'GO' });
  });

  it('for one endpoint holds its acts, cancels too where it is theirs, and no others', async () => {
    await heard('order.place', 'order.place');
    expect(await act('order.place').asks()).toMatchObject({ kind: 'OPEN', level: 'order.place' });
    expect(await act('order.cancel').asks()).toMatchObject({ kind: 'GO' });
    await heard('order.cancel', 'order.cancel');
    expect(await act('order.cancel').asks()).toMatchObject({ kind: 'OPEN', level: 'order.cancel' });
  });

  it('is not cut short by a shorter one that comes later, nor takes its words', async () => {
    const [first, second] = [act(), act()];
    const [one, other] = [fenceOf(await first.asks()), fenceOf(await second.asks())];
    await first.hears(one, 'venue', 2 * HOUR_MS, 'banned');
    await second.hears(other, 'venue', 1_000, 'too many');
    const answer = await act().asks();
    expect(answer).toMatchObject({ kind: 'OPEN', level: 'venue', why: 'banned' });
    expect('waitMs' in answer && answer.waitMs).toBeGreaterThan(HOUR_MS);
  });

  it('is heard from an act whose record has moved on', async () => {
    const mine = act();
    const fence = fenceOf(await mine.asks());
    await mine.ends(fence, 'done');
    expect(await mine.hears(fence, 'venue', HOUR_MS, 'banned')).toMatchObject({ kind: 'FENCED' });
    expect(await act().asks()).toMatchObject({ kind: 'OPEN', why: 'banned' });
  });
});
