import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { breakerOrders } from '../../../activities/breaker-orders';
import type { LevelOrders } from '../../../src/breaker/breakers';
import type { HeldPlace } from '../../../src/breaker/control/places';
import type { Projection } from '../../../src/breaker/control/state';
import { NO_OVERRIDE } from '../../../src/breaker/override';
import { waitUntil } from '../../../src/dev/wait-until';
import type { Runtime } from '../../../src/interceptors/runtime';
import { queueLimits, type QueueLimit } from '../../support/queue-limits';

const PLACE: HeldPlace = { venue: 'paper', jobType: 'order.place', sendWithinMs: 2_000 };
const SIGNAL: HeldPlace = { venue: 'paper', jobType: 'signal.publish', sendWithinMs: 3_000 };
const ELSEWHERE: HeldPlace = { venue: 'binance', jobType: 'order.place', sendWithinMs: 9_000 };
const orders = (kill: boolean): LevelOrders => ({
  ...{ ...NO_OVERRIDE, number: 1, kill, killedBy: 'ann', killReason: 'flood' },
  ...{ forMs: 0, rows: [] },
});

/** A worker with these places; its Redis takes an order as `take` says, and then knows of a kill. */
function worker(places: HeldPlace[], take: () => Promise<void> = () => Promise.resolve()) {
  const limits = new Map<string, QueueLimit>();
  let held = NO_OVERRIDE;
  const breakers = {
    order: async (_venue: string, _level: string, ordered: LevelOrders) => {
      await take();
      held = { ...ordered, until: 0 };
      return { kind: 'OK', turns: [] };
    },
    killOf: () => Promise.resolve(held),
  };
  const runtime = {
    effects: { heldPlaces: () => places },
    guard: { breakers },
    breakerWatch: { hear: () => undefined },
    log: pino({ enabled: false }),
  } as unknown as Runtime;
  const { projectOverrides } = breakerOrders(runtime);
  return {
    limits,
    project: (scope: string, { told = [] as HeldPlace[], kill = true } = {}): Promise<Projection> =>
      new MockActivityEnvironment({}, { client: queueLimits(limits) }).run(
        projectOverrides as never,
        ...([scope, told, orders(kill)] as never[]),
      ),
  };
}

describe('what a control workflow has written', () => {
  it.each<[string, string, number]>([
    ['all of a venue', 'paper', 3_000],
    ['one job type there', 'paper/order.place', 2_000],
    ['an account, which may act anywhere there', 'paper/account/main', 3_000],
    ['everything, with the places that other workers told', 'all', 9_000],
    ['look-ups, which send nothing', 'paper/look-up', 0],
  ])('waits for the longest that an act of its places may still leave: %s', async (_what, scope, settleMs) => {
    const { project } = worker([PLACE, SIGNAL]);
    expect(await project(scope, { told: [ELSEWHERE], kill: scope !== 'paper/look-up' })).toMatchObject({ settleMs });
  });

  it("holds Temporal's queues at once where it is a kill, though Redis does not answer", async () => {
    let answer: () => void = () => undefined;
    const { project, limits } = worker([PLACE], () => new Promise((resolve) => (answer = resolve)));
    const projecting = project('paper');
    expect(await waitUntil(() => Promise.resolve(limits.size > 0), { timeoutMs: 5_000, everyMs: 5 })).toBe(true);
    expect([...limits.keys()]).toEqual(['fillsafe.order.place.paper']);
    answer();
    expect(await projecting).toMatchObject({ note: 'Temporal holds fillsafe.order.place.paper' });
  });
});
