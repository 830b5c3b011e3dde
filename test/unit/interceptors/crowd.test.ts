import fc from 'fast-check';
import { setImmediate as settled } from 'node:timers/promises';
import type { IntentRef } from '../../../src/guard/keys';
import { Crowd } from '../../../src/interceptors/crowd';

const ORDER: IntentRef = { venue: 'paper', jobType: 'order.place', intentId: 'sig-1' };
const TIMES = { stepMs: 100, mostMs: 2_000 };

/** Attempts whose sleeps end when the test says so. */
function attemptsOf(crowd: Crowd) {
  return (ref = ORDER) => {
    const place = crowd.join(ref);
    const seen = { doing: 'awake' as 'awake' | 'asks' | 'waits', wake: (): void => undefined, isHere: true };
    return {
      seen,
      wait: () => {
        const sleep = (ms: number): Promise<void> => {
          seen.doing = ms === TIMES.stepMs ? 'asks' : 'waits';
          return new Promise((resolve) => (seen.wake = resolve));
        };
        void place.wait(sleep, TIMES).then(() => (seen.doing = 'awake'));
      },
      leave: () => {
        seen.isHere = false;
        place.leave();
      },
    };
  };
}

test('one asks and the others wait for it; as soon as it leaves all are awake, and one of them asks', async () => {
  const attempt = attemptsOf(new Crowd());
  const [first, second, third] = [attempt(), attempt(), attempt()];
  for (const each of [first, second, third]) each.wait();
  expect([first, second, third].map(({ seen }) => seen.doing)).toEqual(['asks', 'waits', 'waits']);
  first.leave();
  await settled();
  expect([second, third].map(({ seen }) => seen.doing)).toEqual(['awake', 'awake']);
  third.wait();
  second.wait();
  expect([second, third].map(({ seen }) => seen.doing)).toEqual(['waits', 'asks']);
});

test('who hears that the act is under way just after the asker has left asks itself', async () => {
  const attempt = attemptsOf(new Crowd());
  const [first, late] = [attempt(), attempt()];
  first.wait();
  first.leave();
  late.wait();
  expect(late.seen.doing).toBe('asks');
});

test('nobody waits for the asker of another intent, however their names run together', () => {
  const attempt = attemptsOf(new Crowd());
  attempt({ ...ORDER, venue: 'paper', intentId: 'sig-11' }).wait();
  const other = attempt({ ...ORDER, venue: '1paper', intentId: 'sig-1' });
  other.wait();
  expect(other.seen.doing).toBe('asks');
});

test('in whatever order attempts come, wake and leave: one asks at a time, and nobody waits where none does', async () => {
  // `soon`: the next step comes before anybody who was woken goes on.
  const step = fc.record({ who: fc.nat({ max: 3 }), leaves: fc.boolean(), soon: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const attempt = attemptsOf(new Crowd());
      const attempts = Array.from({ length: 4 }, () => attempt());
      const doing = (): string[] => attempts.map(({ seen }) => seen.doing);
      let asker: (typeof attempts)[number] | undefined;
      for (const { who, leaves, soon } of steps) {
        // Who has left makes room for another attempt.
        if (!attempts[who]?.seen.isHere) attempts[who] = attempt();
        const acting = attempts[who]!;
        if (acting.seen.doing !== 'awake') acting.seen.wake();
        else if (leaves) acting.leave();
        else acting.wait();
        // Between two of its questions the asker is awake, and still the one that asks.
        if (!asker?.seen.isHere) asker = attempts.find(({ seen }) => seen.doing === 'asks');
        expect(attempts.filter((each) => each.seen.doing === 'asks' && each !== asker)).toEqual([]);
        if (!soon) await settled();
        if (!soon && !asker) expect(doing()).not.toContain('waits');
      }
      asker?.leave();
      await settled();
      expect(doing()).not.toContain('waits');
    }),
    { numRuns: 1_000 },
  );
});
