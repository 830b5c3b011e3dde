import type { Client } from '@temporalio/client';
import pino from 'pino';
import { NO_OVERRIDE } from '../../../src/breaker/override';
import { waitUntil } from '../../../src/dev/wait-until';
import type { Runtime } from '../../../src/interceptors/runtime';
import { Controls } from '../../../src/worker/controls';
import { queueLimits, type QueueLimit } from '../../support/queue-limits';

/** What the worker has seen of a scope. */
const SEEN = { number: 5, kill: true, killedBy: 'ann', killReason: 'flood' };
const PLACES = [{ venue: 'paper', jobType: 'order.place', sendWithinMs: 1_000 }];

interface Asked {
  workflowId: string;
  what: string;
  args: unknown[];
}

/** The control workflows of a Temporal that keeps what it was asked; `answer` may refuse it. */
function controls(answer: (asked: Asked) => Promise<void> = () => Promise.resolve(), running: string[] = []) {
  const asked: Asked[] = [];
  const take = async (each: Asked): Promise<void> => {
    await answer(each);
    asked.push(each);
  };
  const workflow = {
    startUpdateWithStart: async (
      what: string,
      {
        args,
        startWorkflowOperation,
      }: { args: unknown[]; startWorkflowOperation: { options: { workflowId: string } } },
    ) => {
      await take({ workflowId: startWorkflowOperation.options.workflowId, what, args });
      return { result: () => Promise.resolve() };
    },
    signalWithStart: (
      _type: string,
      { workflowId, signal, signalArgs }: { workflowId: string; signal: string; signalArgs: unknown[] },
    ) => take({ workflowId, what: signal, args: signalArgs }),
    async *list() {
      for (const workflowId of running) yield { workflowId };
    },
  };
  const limits = new Map<string, QueueLimit>();
  const client = { ...queueLimits(limits), workflow } as unknown as Client;
  const effects = { places: () => PLACES, heldPlaces: () => PLACES };
  const ordered = { kill: NO_OVERRIDE };
  const guard = { breakers: { killOf: () => Promise.resolve(ordered.kill) } };
  const breakerWatch = {
    remembered: (scope: string) => (scope === 'paper' ? { ...NO_OVERRIDE, ...SEEN } : NO_OVERRIDE),
  };
  const runtime = { effects, guard, breakerWatch, log: pino({ enabled: false }) } as unknown as Runtime;
  const made = new Controls(client, runtime);
  return { controls: made, asked, limits, ordered };
}
const restored = (asked: Asked[]): string[] =>
  asked
    .filter(({ what }) => what === 'restore')
    .map(({ workflowId }) => workflowId)
    .sort();

describe("a worker's ties to the control workflows", () => {
  it('have every breaker that concerns it written to Redis before it acts, those of accounts and of the books too', async () => {
    const running = ['breaker:paper/account/main', 'breaker:books', 'breaker:elsewhere', 'breaker:paper'];
    const { controls: ties, asked } = controls(undefined, running);
    expect(ties.notReady).toBeDefined();
    await ties.restored();
    expect(ties.notReady).toBeUndefined();
    expect(restored(asked)).toEqual([
      ...['breaker:all', 'breaker:books', 'breaker:paper', 'breaker:paper/account/main'],
      ...['breaker:paper/look-up', 'breaker:paper/order.place'],
    ]);
    const seenOf = (id: string) => asked.find(({ workflowId }) => workflowId === id)?.args;
    expect(seenOf('breaker:paper')).toEqual([PLACES, SEEN]);
    expect(seenOf('breaker:all')).toEqual([PLACES, { number: 0, kill: false, killedBy: '', killReason: '' }]);
    ties.stop();
  });

  it('wait for a Temporal that is slow, and say for what, while the others are not asked again', async () => {
    let isAway = true;
    const { controls: ties, asked } = controls(({ workflowId }) =>
      isAway && workflowId === 'breaker:paper' ? Promise.reject(new Error('too slow')) : Promise.resolve(),
    );
    const restoring = ties.restored();
    await waitUntil(() => Promise.resolve(ties.notReady?.includes('too slow') === true), {
      timeoutMs: 5_000,
      everyMs: 5,
    });
    expect(ties.notReady).toMatch(/^what people ordered of paper is not known: the orders of paper .*too slow/);
    isAway = false;
    await restoring;
    expect(restored(asked)).toEqual([
      ...['breaker:all', 'breaker:paper', 'breaker:paper/look-up', 'breaker:paper/order.place'],
    ]);
    ties.stop();
  });

  it('end their waiting with the worker', async () => {
    const { controls: ties } = controls(() => Promise.reject(new Error('away')));
    const restoring = ties.restored();
    ties.stop();
    await expect(restoring).rejects.toThrow();
    expect(ties.notReady).toBeDefined();
  });

  it('tell of a loss without waiting, of all breakers or of the one that it concerns', async () => {
    const { controls: ties, asked } = controls();
    ties.lost('paper');
    await waitUntil(() => Promise.resolve(asked.length === 1), { timeoutMs: 5_000, everyMs: 5 });
    expect(asked[0]?.args).toEqual([PLACES, SEEN]);
    ties.lost();
    await waitUntil(() => Promise.resolve(asked.length === 5), { timeoutMs: 5_000, everyMs: 5 });
    expect(restored(asked)).toEqual([
      ...['breaker:all', 'breaker:paper', 'breaker:paper', 'breaker:paper/look-up', 'breaker:paper/order.place'],
    ]);
    ties.stop();
  });

  it('tell the turns of a breaker in their order, however long each takes', async () => {
    let release: (() => void) | undefined;
    const { controls: ties, asked } = controls(({ args }) =>
      (args[0] as { to: string }).to === 'OPEN' ? new Promise((resolve) => (release = resolve)) : Promise.resolve(),
    );
    const turn = (from: string, to: string, scope = 'paper') => ties.turned({ scope, from, to, why: '', at: 5 });
    turn('CLOSED', 'OPEN');
    turn('OPEN', 'HALF_OPEN');
    turn('CLOSED', 'RAMP', 'paper/order.place');
    await waitUntil(() => Promise.resolve(asked.length === 1), { timeoutMs: 5_000, everyMs: 5 });
    expect(asked[0]).toMatchObject({
      workflowId: 'breaker:paper/order.place',
      args: [{ from: 'CLOSED', to: 'RAMP', why: '', at: 5 }],
    });
    release?.();
    await waitUntil(() => Promise.resolve(asked.length === 3), { timeoutMs: 5_000, everyMs: 5 });
    expect(asked.slice(1).map(({ args }) => (args[0] as { to: string }).to)).toEqual(['OPEN', 'HALF_OPEN']);
  });

  it("compare Temporal's limits of queues with the kills that hold each minute, until they are stopped", async () => {
    jest.useFakeTimers();
    try {
      const { controls: ties, limits, ordered } = controls();
      await ties.restored();
      ordered.kill = { ...NO_OVERRIDE, ...SEEN };
      await jest.advanceTimersByTimeAsync(59_000);
      expect(limits.size).toBe(0);
      await jest.advanceTimersByTimeAsync(1_000);
      const held = { requestsPerSecond: 0, reason: 'fillsafe kill: ann: flood' };
      expect(limits).toEqual(new Map([['fillsafe.order.place.paper', held]]));
      ordered.kill = NO_OVERRIDE;
      await jest.advanceTimersByTimeAsync(60_000);
      expect(limits.size).toBe(0);
      ties.stop();
      ordered.kill = { ...NO_OVERRIDE, ...SEEN };
      await jest.advanceTimersByTimeAsync(120_000);
      expect(limits.size).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});
