import { payday } from '../support/payday';
import { answerLost } from '../support/payouts';
import { runCli, type CliEnd } from '../support/run-cli';

const desk = payday();
const { running, service, aPayout, start, endOf, payAndEnd, untilParked } = desk;

/** The command line of a machine that has no venue configured, and does not know what was defined elsewhere. */
const fillsafe = (...args: string[]): Promise<CliEnd> =>
  runCli(args, { env: { TEMPORAL_ADDRESS: running.temporal.address, REDIS_URL: running.redis.address } });

const why = ['--reason', 'on the statement', '--actor', 'ann'];

test('an effect that waits for a person is listed, told, and ends in its workflow as a person decides', async () => {
  const payout = aPayout();
  service.script(payout.payoutId, answerLost);
  const handle = await start('payout.blind', payout);
  await untilParked(handle);
  expect((await fillsafe('guard', 'unknown')).stdout).toMatch(
    new RegExp(`${payout.payoutId} +payout\\.blind +books +only a person can decide`),
  );
  const shown = await fillsafe('guard', 'show', payout.payoutId, '--type', 'payout.blind', '--json');
  expect(shown.json()).toMatchObject([{ venue: 'books', jobType: 'payout.blind', state: 'MANUAL' }]);
  expect((await fillsafe('status', '--json')).json()).toMatchObject([{ numbers: { unresolved: 1, parked: 1 } }]);

  const resolve = (...args: string[]): Promise<CliEnd> =>
    fillsafe('guard', 'resolve', payout.payoutId, '--type', 'payout.blind', ...args, ...why);
  const bare = await resolve('--decision', 'done');
  expect([bare.code, bare.stderr]).toEqual([3, expect.stringContaining('result: missing: this effect cannot be')]);
  const wrong = await resolve('--decision', 'done', '--result', '[1]');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--result: must be one JSON object')]);
  const order = await resolve('--decision', 'done', '--order-id', '7');
  expect([order.code, order.stderr]).toEqual([2, expect.stringContaining('payout.blind is no order')]);

  const decided = await resolve('--decision', 'done', '--result', '{"receiptId":"s-1"}', '--json');
  expect(decided.json()).toMatchObject([{ decision: 'done', via: 'workflow', result: { receiptId: 's-1' } }]);
  expect(await endOf(handle)).toMatchObject({ done: { result: { receiptId: 's-1' } } });
  expect((await fillsafe('guard', 'unknown')).stdout).toContain('no open question');
});

test('one whose workflow is gone is decided in the record, and a later caller gets that', async () => {
  const payout = aPayout();
  service.script(payout.payoutId, answerLost);
  const handle = await start('payout.blind', payout);
  await untilParked(handle);
  await handle.terminate('test');
  const args = ['guard', 'resolve', payout.payoutId, '--type', 'payout.blind', '--decision', 'done', ...why];
  const bare = await fillsafe(...args);
  expect([bare.code, bare.stderr]).toEqual([3, expect.stringContaining('or that result itself')]);
  const decided = await fillsafe(...args, '--result', '{"receiptId":"s-2"}', '--json');
  expect(decided.json()).toMatchObject([{ decision: 'done', via: 'store' }]);
  expect(await payAndEnd('payout.blind', payout)).toMatchObject({
    done: { result: { receiptId: 's-2' }, replayed: true },
  });
});

test('a type that no effect can have is bad usage', async () => {
  const end = await fillsafe('guard', 'show', 'p-1', '--type', 'payout');
  expect([end.code, end.stderr]).toEqual([2, expect.stringContaining('--type: "payout" must be two words with a dot')]);
});
