import { FillsafeClient } from '../../src/client/client';
import { loadConfig } from '../../src/config/load';
import type { PlaceOrderInput } from '../../src/domain/order';
import { createVenues } from '../../src/venues/create-venues';
import type { VenuePort } from '../../src/venues/port';
import { cliStack } from '../support/cli-stack';

jest.setTimeout(120_000);

const cli = cliStack();
const { clientOrderId, fillsafe, order, submit } = cli;

describe('an order that only a person can decide', () => {
  let venue: VenuePort;

  /** Another order, too far from the market to fill, stands under the intent's client order id: the venue's answers contradict the intent. */
  const contradict = async (intentId: string): Promise<string> => {
    const id = clientOrderId(intentId);
    const other = { ...(JSON.parse(order(intentId)) as PlaceOrderInput), quantity: '77', price: '0.00001000' };
    return (await venue.placeOrder(other, id, () => undefined)).orderId;
  };

  /** What is said of a decision that names an order of another intent. */
  const adopting = async (intentId: string): Promise<string> => {
    const other = await venue.findOrder('ADABTC', { clientOrderId: clientOrderId('market-price') });
    const decision = ['--decision', 'done', '--order-id', other?.orderId ?? '', '--reason', 'mistaken'];
    const { code, stderr } = await fillsafe('guard', 'resolve', intentId, ...decision);
    expect(code).toBe(3);
    return stderr;
  };
  const foreign = (intentId: string): string =>
    `has client order id ${clientOrderId('market-price')}, the intent's is ${clientOrderId(intentId)}`;

  beforeAll(async () => {
    venue = createVenues(loadConfig({ file: cli.info.config, env: {} })).get('paper') as VenuePort;
    await venue.syncClock();
    // The market follows the first order of a symbol wherever it is; from now on one far off rests.
    expect((await submit('market-price', {}, '--wait')).code).toBe(0);
  });

  it('is told with exit 4, listed, and ends as its job is told by a person', async () => {
    await contradict('odd-1');
    const end = await submit('odd-1', {}, '--wait');
    expect(end.code).toBe(4);
    expect(end.json()).toMatchObject([{ intentId: 'odd-1', status: 'manual' }]);
    const unknown = (await fillsafe('guard', 'unknown')).stdout;
    expect(unknown).toMatch(/odd-1 .*only a person can decide/);
    expect(unknown).toMatch(/odd-1 +\S+ \S+ UTC +manual: paper holds order \d+ under our id/);
    const shown = (await fillsafe('guard', 'show', 'odd-1')).stdout;
    expect(shown).toMatch(/look at .* UTC +manual: paper holds order \d+ under our id/);
    const [record] = (await fillsafe('guard', 'show', 'odd-1', '--json')).json();
    expect(record).toMatchObject({ state: 'MANUAL', payload: { saw: [{ verdict: 'manual' }] } });
    expect((await fillsafe('jobs', '--status', 'manual', '--json')).json()).toMatchObject([{ intentId: 'odd-1' }]);
    expect((await fillsafe('reconcile', '--json')).json()).toMatchObject([{ unknown: 1 }]);

    const silent = await fillsafe('guard', 'resolve', 'odd-1', '--decision', 'rejected');
    expect(silent.code).toBe(2);
    expect(await adopting('odd-1')).toContain(foreign('odd-1'));
    const args = ['--decision', 'rejected', '--reason', 'not our order', '--actor', 'alice'];
    const refused = await fillsafe('guard', 'resolve', 'odd-1', ...args);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('not taken: paper shows what does not fit');
    const confirm = /confirm "(\w+)"/.exec(refused.stderr)?.[1] ?? '';
    const decided = await fillsafe('guard', 'resolve', 'odd-1', ...args, '--confirm', confirm);
    expect(decided).toMatchObject({ code: 0, stderr: '' });
    expect(decided.stdout).toContain('RESOLVED_REJECTED');
    const after = await submit('odd-1', {}, '--wait');
    expect(after.json()).toMatchObject([{ status: 'refused', category: 'RESOLVED_REJECTED' }]);
    expect(after.code).toBe(1);
    const twice = await fillsafe('guard', 'resolve', 'odd-1', ...args);
    expect(twice.code).toBe(3);
    expect(twice.stderr).toContain('its record is REJECTED');
  });

  it('is an unexpected order and a mismatch to reconcile, exit 1', async () => {
    const end = await fillsafe('reconcile', '--json');
    expect(end.code).toBe(1);
    const [{ rows, ...numbers }] = end.json() as [{ rows: { kind: string; intentId: string }[] }];
    expect(numbers).toMatchObject({ duplicates: 0, missing: 0, unexpected: 1, mismatched: 1 });
    expect(rows.map(({ kind, intentId }) => `${kind} ${intentId}`)).toEqual(['unexpected odd-1', 'mismatch odd-1']);
  });

  it('is decided in the store where no job runs for it, with the order as the venue tells it', async () => {
    const orderId = await contradict('odd-2');
    expect((await submit('odd-2', {}, '--wait')).code).toBe(4);
    const client = await FillsafeClient.connect(loadConfig({ file: cli.info.config, env: {} }));
    await client.temporal.workflow.getHandle('order:odd-2').terminate('test');
    await client.close();

    const why = ['--reason', 'adopted', '--json'];
    const wrong = await fillsafe('guard', 'resolve', 'odd-2', '--decision', 'done', '--order-id', '999999', ...why);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain('knows no order 999999');
    expect(await adopting('odd-2')).toContain(foreign('odd-2'));
    for (const input of [order('odd-2', { quantity: '31' }), order('odd-3')]) {
      const decision = ['--decision', 'done', '--order-id', orderId, '--input', input];
      const other = await fillsafe('guard', 'resolve', 'odd-2', ...decision, ...why);
      expect(other.code).toBe(2);
      expect(other.stderr).toContain('--input: is not what intent "odd-2" was submitted with');
    }
    const decided = await fillsafe('guard', 'resolve', 'odd-2', '--decision', 'done', '--order-id', orderId, ...why);
    expect(decided.json()).toMatchObject([{ intentId: 'odd-2', decision: 'done', via: 'store' }]);
    const [record] = (await fillsafe('guard', 'show', 'odd-2', '--json')).json();
    expect(record).toMatchObject({ state: 'DONE', payload: { orderId, status: 'NEW' } });
  });

  it('is a duplicate to reconcile where the venue took two orders of one intent, exit 1', async () => {
    const id = clientOrderId('twice');
    const market = { type: 'MARKET', price: undefined };
    // The venue lets an id be used again once its order has filled.
    await venue.placeOrder(JSON.parse(order('twice', market)) as PlaceOrderInput, id, () => undefined);
    expect((await submit('twice', market, '--wait')).code).toBe(0);
    const end = await fillsafe('reconcile');
    expect(end.code).toBe(1);
    expect(end.stdout).toMatch(/duplicate +paper +twice +ADABTC +2 orders for one intent/);
  });
});

describe('what Redis holds of a venue', () => {
  it('is vouched for by a person, with a reason that the audit keeps', async () => {
    expect((await fillsafe('guard', 'trust', 'paper')).code).toBe(2);
    const empty = await fillsafe('guard', 'trust', 'paper', '--reason', ' ');
    expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason: empty') });
    const trusted = await fillsafe('guard', 'trust', 'paper', '--reason', 'restored from a backup', '--actor', 'ann');
    expect(trusted).toMatchObject({ code: 0, stdout: expect.stringContaining('ann vouches for its records') });
    const unknown = await fillsafe('guard', 'trust', 'nowhere', '--reason', 'a drill');
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain('nowhere');
  });
});
