import { Guard } from '../../src/guard/guard';
import { admitRequest, breaker, placing, settleRequest } from '../support/guard-requests';
import { memoryRedis } from '../support/memory-redis';

const STAGE_MS = breaker.rampMs;
const LAST_STAGE_MS = 3 * STAGE_MS;
const PACE = breaker.reopenPerSecond;

/** What passed in one second of Redis's clock. */
interface Second {
  passed: number;
  /** Ms since the way back began, at the beginning of the second; `undefined` once it was over. */
  sinceRampMs: number | undefined;
}

/** A venue that comes back to acts that wait: each asks at its time, goes at once on GO, and comes back when it is told to. */
async function comeBack({ waiting, arrivals }: { waiting: number; arrivals: (ms: number) => number }) {
  const { redis, clock } = memoryRedis();
  const guard = new Guard(redis, { namespace: 'test', ttlMs: 1e9 });
  await guard.store.open('paper', { quiesceMs: 1_000, neverUsed: true });
  const act = async (intent: string, health: 'ok' | 'fail'): Promise<number | undefined> => {
    const asked = await guard.admit(placing(intent), admitRequest());
    if (asked.kind === 'OPEN') return asked.waitMs;
    if (asked.kind !== 'GO') throw new Error(asked.kind);
    await guard.settle(placing(intent), settleRequest({ fence: asked.fence, ending: 'release', health }));
    return undefined;
  };
  const state = async (): Promise<string> => (await guard.breakers.read('paper', ['venue'])).at(-1)!.breaker.state;

  for (let i = 0; (await state()) === 'CLOSED'; i += 1) await act(`storm-${i}`, 'fail');
  clock.advance(breaker.openMs);
  for (let i = 0; (await state()) !== 'RAMP'; i += 1) await act(`probe-${i}`, 'ok');

  const begun = clock.nowMs();
  const times = new Map<number, string[]>();
  const at = (ms: number, intent: string): void => void times.set(ms, [...(times.get(ms) ?? []), intent]);
  for (let i = 0; i < waiting; i += 1) at(0, `waiting-${i}`);
  let [left, arrived, overMs] = [waiting, 0, undefined as number | undefined];
  const seconds: Second[] = [];
  for (let ms = 0; left > 0 || overMs === undefined; ms += 1) {
    if (ms > 300_000) throw new Error(`after ${ms} ms ${left} acts wait, the breaker is ${await state()}`);
    clock.advance(begun + ms - clock.nowMs());
    if (overMs === undefined) {
      for (let i = arrivals(ms); i > 0; i -= 1) at(ms, `new-${(arrived += 1)}`);
    }
    const second = (seconds[Math.floor(clock.nowMs() / 1_000) - Math.floor(begun / 1_000)] ??= {
      passed: 0,
      sinceRampMs: overMs === undefined ? ms : undefined,
    });
    for (const intent of times.get(ms) ?? []) {
      const waitMs = await act(intent, 'ok');
      if (waitMs !== undefined) at(ms + Math.max(Math.round(waitMs), 1), intent);
      else {
        second.passed += 1;
        if (intent.startsWith('waiting')) left -= 1;
      }
    }
    times.delete(ms);
    if (overMs === undefined && times.size > 0 && ms % 100 === 0 && (await state()) === 'CLOSED') overMs = ms;
  }
  return { seconds, overMs };
}

const allowed = (sinceRampMs: number): number =>
  PACE * 2 ** Math.max(Math.floor((sinceRampMs + 1_000) / STAGE_MS) - LAST_STAGE_MS / STAGE_MS, 0);

describe('a venue that comes back', () => {
  it('is met by a queue, not by a herd, however many wait; and none waits for ever', async () => {
    const waiting = 3_000;
    const { seconds, overMs } = await comeBack({ waiting, arrivals: () => 0 });
    process.stdout.write(
      `${waiting} acts that waited passed in ${seconds.length} s, the breaker closed after ${(overMs ?? 0) / 1_000} s; passed in each second: ${seconds.map(({ passed }) => passed).join(' ')}\n`,
    );
    for (const { passed, sinceRampMs } of seconds) {
      if (sinceRampMs !== undefined) expect(passed).toBeLessThanOrEqual(allowed(sinceRampMs));
    }
    const before = seconds.filter(({ sinceRampMs }) => sinceRampMs !== undefined && sinceRampMs < LAST_STAGE_MS);
    expect(Math.max(...before.map(({ passed }) => passed))).toBeLessThanOrEqual(PACE);
    // It closes when no more come than may pass; who still waits then was told different times too.
    const after = seconds.filter(({ sinceRampMs }) => sinceRampMs === undefined).map(({ passed }) => passed);
    expect(Math.max(0, ...after)).toBeLessThanOrEqual(allowed(overMs ?? 0));
    expect(seconds.reduce((sum, { passed }) => sum + passed, 0)).toBe(waiting);
  }, 120_000);

  it('is let go of by its breaker under a load that is above the pace by itself', async () => {
    const perSecond = 3 * PACE;
    const { seconds, overMs } = await comeBack({
      waiting: 100,
      arrivals: (ms) => (ms % Math.floor(1_000 / perSecond) === 0 ? 1 : 0),
    });
    expect(overMs).toBeDefined();
    for (const { passed, sinceRampMs } of seconds) {
      if (sinceRampMs !== undefined) expect(passed).toBeLessThanOrEqual(allowed(sinceRampMs));
    }
  }, 120_000);
});
