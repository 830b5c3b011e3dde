import type { SlotReserveContext } from '@temporalio/worker';
import { GatedSlots } from '../../../src/worker/gate';

const CONTEXT = {} as SlotReserveContext;

/** A gate whose pace and time the test sets, and the polls that wait at it. */
function rig(most: number, perSecond: number) {
  const given: number[] = [];
  const pace = { perSecond };
  const slots = new GatedSlots(most, () => pace.perSecond, { perSecond: 4, doublesMs: 10_000 });
  let polls = 0;
  const poll = (signal = new AbortController().signal): Promise<unknown> => {
    const number = (polls += 1);
    return slots.reserveSlot(CONTEXT, signal).then(() => void given.push(number));
  };
  return { slots, given, pace, poll };
}

/** Fake timers move the monotonic clock along. */
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('slots behind an open gate', () => {
  it('are given at once, as many as there are, and in turn as they come back', async () => {
    const { slots, given, poll } = rig(2, Infinity);
    for (let i = 0; i < 4; i += 1) void poll();
    await pass(0);
    expect(given).toEqual([1, 2]);
    expect(slots.tryReserveSlot()).toBeNull();
    slots.releaseSlot();
    await pass(0);
    expect(given).toEqual([1, 2, 3]);
    await pass(60_000);
    expect(given).toEqual([1, 2, 3]);
  });
});

describe('slots behind a shut gate', () => {
  it('are not given, to a poll or to an eager act, until it opens', async () => {
    const { slots, given, pace, poll } = rig(2, 0);
    void poll();
    await pass(60_000);
    expect(given).toEqual([]);
    expect(slots.tryReserveSlot()).toBeNull();
    pace.perSecond = Infinity;
    await pass(200);
    expect(given).toEqual([1]);
    await pass(250);
    expect(slots.tryReserveSlot()).not.toBeNull();
  });

  it('leave a poll that is called off with the reason of that, and its place is free', async () => {
    const { given, pace, poll } = rig(1, 0);
    const off = new AbortController();
    const reason = new Error('shutting down');
    const first = poll(off.signal);
    void poll();
    off.abort(reason);
    await expect(first).rejects.toBe(reason);
    await expect(poll(off.signal)).rejects.toBe(reason);
    pace.perSecond = Infinity;
    await pass(200);
    expect(given).toEqual([2]);
  });
});

describe('slots behind a paced gate', () => {
  it('are given one by one, at the pace', async () => {
    const { given, poll } = rig(50, 4);
    for (let i = 0; i < 20; i += 1) void poll();
    for (let seconds = 0; seconds < 4; seconds += 1) {
      expect(given.length).toBe(seconds * 4 + (seconds > 0 ? 1 : 0));
      await pass(1_000);
    }
  });

  it('have saved none up while nobody asked, nor while it was shut', async () => {
    const { given, pace, poll } = rig(50, 4);
    await pass(60_000);
    for (let i = 0; i < 20; i += 1) void poll();
    await pass(0);
    expect(given).toHaveLength(1);
    pace.perSecond = 0;
    await pass(60_000);
    expect(given).toHaveLength(1);
    pace.perSecond = 4;
    await pass(240);
    expect(given.length).toBeLessThanOrEqual(2);
  });

  it('are given at a higher pace soon after it is allowed', async () => {
    const { given, pace, poll } = rig(50, 0.01);
    for (let i = 0; i < 20; i += 1) void poll();
    await pass(1_000);
    expect(given).toHaveLength(1);
    pace.perSecond = 5;
    await pass(300);
    expect(given).toHaveLength(2);
  });
});

describe('slots behind a gate that opens again', () => {
  it.each([
    ['that was shut', 0, 4],
    ['that was paced', 7, 7],
  ])('come as a queue from one %s, at a pace that doubles, and at once in the end', async (_what, before, first) => {
    const { given, pace, poll } = rig(100_000, before);
    const waiting = Array.from({ length: 20_000 }, () => poll());
    await pass(1_000);
    pace.perSecond = Infinity;
    await pass(200);
    for (let at = 0; at < 4; at += 1) {
      const from = given.length;
      await pass(10_000);
      const perSecond = (given.length - from) / 10;
      expect(perSecond).toBeGreaterThan(first * 2 ** at * 0.8);
      expect(perSecond).toBeLessThanOrEqual(first * 2 ** at * 1.05);
    }
    await pass(80_000);
    expect(given).toHaveLength(waiting.length);
  });
});
