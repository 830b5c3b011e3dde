import { payday } from '../support/payday';

const desk = payday();
const { service, running, lines, aPayout, start, endOf } = desk;

beforeEach(() => {
  lines.length = 0;
  running.proxy.close();
});
afterEach(() => running.proxy.open());

describe('while Redis is away', () => {
  test('an effect with whenStoreDown "refuse" waits, and is done once when it is back', async () => {
    const payout = aPayout();
    const handle = await start('payout.send', payout);
    // The attempt comes back again and again, and says why.
    const waiting = async (): Promise<string> => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.find(({ attempt }) => Number(attempt) > 1)?.lastFailure?.message ?? '';
    };
    while ((await waiting()) === '');
    expect(await waiting()).toMatch(/^not acted: Redis did not answer admit/);
    expect(service.runsOf(payout.payoutId)).toBe(0);
    running.proxy.open();
    expect(await endOf(handle)).toMatchObject({ done: { status: 'done' } });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
    expect(service.looksOf(payout.payoutId)).toBe(0);
  });

  test('one with "proceed" acts without the guard, and the log says so', async () => {
    const payout = aPayout();
    expect(await endOf(await start('payout.notify', payout))).toMatchObject({
      done: { result: { amount: '12.50' }, replayed: false },
    });
    expect(service.taken(payout.payoutId)).toHaveLength(1);
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said).toContainEqual(
      expect.objectContaining({
        jobType: 'payout.notify',
        intentId: payout.payoutId,
        msg: 'acting without the guard: Redis is away and this act may be repeated',
      }),
    );
  });
});
