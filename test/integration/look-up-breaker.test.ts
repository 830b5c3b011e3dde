import { setTimeout as sleep } from 'node:timers/promises';
import { ordersOfTheDay } from '../../src/demo/trading-day';
import { waitUntil } from '../../src/dev/wait-until';
import { runCli } from '../support/run-cli';
import { testStack, type TestStack } from '../support/stack';

interface Request {
  method: string;
  path: string;
}

describe('a venue that takes orders, loses its answers and does not answer look-ups', () => {
  let desk: TestStack;

  beforeAll(async () => {
    desk = await testStack({ configFile: 'test/support/config/touchy-breaker.yaml' });
  }, 120_000);
  afterAll(() => desk.end());

  const requests = async (): Promise<Request[]> =>
    ((await (await fetch(`${desk.stack.info.paper}/truth`)).json()) as { requests: Request[] }).requests;
  const lookUps = async (): Promise<number> =>
    (await requests()).filter(({ method, path }) => method === 'GET' && path === '/api/v3/order').length;
  const breaker = async (): Promise<{ state: string; words: string; heldBy: string | null }> => {
    const { stdout } = await runCli(['breaker', 'show', 'paper/look-up', '--json', '--config', desk.stack.info.config]);
    return JSON.parse(stdout) as Awaited<ReturnType<typeof breaker>>;
  };

  it('is not asked on and on: the look-ups’ own breaker opens, says so, and lets all end once it answers', async () => {
    const orders = ordersOfTheDay('paper').slice(0, 6);
    await desk.addFaults([
      { kind: 'drop_after', match: { method: 'POST', path: '/api/v3/order' }, times: orders.length },
      { kind: 'error_5xx_not_executed', match: { method: 'GET', path: '/api/v3/order' } },
    ]);
    const jobs = await Promise.all(orders.map((order) => desk.client.submit('order.place', order)));
    await waitUntil(async () => (await breaker()).state === 'OPEN', { timeoutMs: 30_000, everyMs: 100 });
    expect(await breaker()).toMatchObject({ words: 'OPEN, look-ups are held', heldBy: null });

    // A look that was under way is let end; each job has had time to ask again since.
    await sleepUntilStill(lookUps);
    const before = await lookUps();
    await waitUntil(async () => /not asked: breaker paper\/look-up/.test(await tellsOf(jobs[0]!.intentId)), {
      timeoutMs: 20_000,
      everyMs: 200,
    });
    expect(await lookUps()).toBe(before);
    expect((await breaker()).state).toBe('OPEN');

    await desk.clearFaults();
    const outcomes = await Promise.all(jobs.map((job) => job.outcome()));
    expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
    const { totals } = await desk.truth();
    expect(totals).toMatchObject({ orders: orders.length, duplicates: 0 });
    const control = await desk.client.breaker('paper/look-up').state();
    expect(control?.events.map(({ what }) => what)).toContainEqual(expect.stringContaining('OPEN'));
  }, 150_000);

  it('whose look-ups are no risk has no kill for them, and a rest where people want one', async () => {
    const order = { reason: 'maintenance', actor: 'ada' };
    const control = desk.client.breaker('paper/look-up');
    expect(() => control.override({ action: 'kill', ...order })).toThrow('look-ups add no risk');
    const { meaning } = await control.override({ action: 'open', ...order, forSeconds: 60 });
    expect(meaning).toMatch(/^nobody asks the venue what became of lost answers until /);
    await control.override({ action: 'auto', ...order });
  });

  async function tellsOf(intentId: string): Promise<string> {
    return (await runCli(['job', intentId, '--config', desk.stack.info.config])).stdout;
  }
});

/** Waits until a count has not moved for a second. */
async function sleepUntilStill(count: () => Promise<number>): Promise<void> {
  for (let last = -1, now = await count(); last !== now; now = await count()) {
    last = now;
    await sleep(1_000);
  }
}
