import { Worker } from '@temporalio/worker';
import pino from 'pino';
import { createFillsafePlugin, notApplied, refused } from '../../src/index';
import { THEIR_QUEUE } from '../support/pay-worker';
import { payday } from '../support/payday';
import { answerLost } from '../support/payouts';

const desk = payday();
const { service, running, aPayout, start, endOf, payAndEnd, activitiesOf } = desk;

const replay = async (workflowId: string): Promise<void> => {
  const history = await running.client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: running.bundle }, history, workflowId);
};

describe('an effect that somebody defined', () => {
  test('is done once, on a queue of its own, and answers with what its run answered', async () => {
    const payout = aPayout();
    const handle = await start('payout.send', payout);
    expect(await endOf(handle)).toEqual({
      done: {
        intentId: payout.payoutId,
        status: 'done',
        result: { receiptId: `r-1-${payout.payoutId}`, amount: '12.50' },
        replayed: false,
        attempts: 1,
      },
    });
    expect(await activitiesOf(handle)).toEqual(['payout.send on fillsafe.payout.send.books']);
    expect(service.taken(payout.payoutId)).toHaveLength(1);
    expect(await running.direct.exists(`idempotency:{books}:payout.send:${payout.payoutId}`)).toBe(1);
  });

  test('has its queue and its record at the venue that its scope names', async () => {
    const payout = aPayout({ venue: 'paper' });
    const handle = await start('payout.send', payout);
    expect(await endOf(handle)).toMatchObject({ done: { status: 'done' } });
    expect(await activitiesOf(handle)).toEqual(['payout.send on fillsafe.payout.send.paper']);
    expect(await running.direct.exists(`idempotency:{paper}:payout.send:${payout.payoutId}`)).toBe(1);
  });

  test('runs once for two workflows at the same time, and both get its answer', async () => {
    const payout = aPayout();
    let goOn: () => void = () => undefined;
    service.script(payout.payoutId, async (take, ticket) => {
      ticket.pass();
      await new Promise<void>((resolve) => (goOn = resolve));
      return take();
    });
    const first = await start('payout.send', payout);
    while (service.runsOf(payout.payoutId) === 0) await first.describe();
    const second = await start('payout.send', payout);
    while ((await activitiesOf(second)).length === 0) await second.describe();
    goOn();
    const ends = [await endOf(first), await endOf(second)];
    expect(ends[1]!.done!.result).toEqual(ends[0]!.done!.result);
    expect(ends.map(({ done }) => done!.replayed)).toEqual([false, true]);
    expect(service.runsOf(payout.payoutId)).toBe(1);
  });

  test('is refused as CONFLICT when the intent comes with another payload, however deep the difference lies', async () => {
    const payout = aPayout({ to: { iban: 'DE1', name: 'Ann' } as never });
    expect(await payAndEnd('payout.send', payout)).toMatchObject({ done: { replayed: false } });
    // The order of names means nothing.
    const same = { ...payout, to: { name: 'Ann', iban: 'DE1' } };
    expect(await payAndEnd('payout.send', same)).toMatchObject({ done: { replayed: true } });
    const other = { ...payout, to: { iban: 'DE2', name: 'Ann' } };
    expect(await payAndEnd('payout.send', other)).toMatchObject({
      category: 'CONFLICT',
      details: { intentId: payout.payoutId, venue: 'books' },
    });
    expect(service.runsOf(payout.payoutId)).toBe(1);
  });

  test('is refused as INVALID, with the field named, before anything is touched', async () => {
    for (const [given, message] of [
      [aPayout({ payoutId: 'no spaces' }), 'payout.send refused: intentId: "no spaces" must be 1 to 64 of'],
      [{ ...aPayout(), payoutId: 7 }, 'payout.send refused: intentId: 7 must be'],
      ['p-1', 'payout.send refused: input: must be one object'],
      [aPayout({ venue: 'nowhere' }), 'scope: "nowhere" is not configured; configured are: paper, real'],
    ] as const) {
      const handle = await start('payout.send', given);
      const end = await endOf(handle);
      expect(end).toMatchObject({ category: 'INVALID', message: expect.stringContaining(message) as string });
      expect(await activitiesOf(handle)).toEqual([]);
    }
    const other = await payAndEnd('payout.send', aPayout({ venue: 'real' }));
    expect(other).toMatchObject({ category: 'LANE', message: expect.stringMatching(/^scope: "real"/) as string });
  });

  test('ends for good when its run says "refused", and every caller hears the same', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, (_take, ticket) => {
      ticket.pass();
      return Promise.reject(refused('FUNDS', 'the account holds 3.00'));
    });
    const end = { category: 'FUNDS', message: 'the account holds 3.00' };
    expect(await payAndEnd('payout.send', payout)).toMatchObject(end);
    expect(await payAndEnd('payout.send', payout)).toMatchObject(end);
    expect([service.runsOf(payout.payoutId), service.looksOf(payout.payoutId)]).toEqual([1, 0]);
  });

  test('is tried again without a look when its run says "not applied"', async () => {
    const payout = aPayout();
    const busy = (retryAfterMs?: number) => () =>
      Promise.reject(notApplied('busy', retryAfterMs === undefined ? {} : { retryAfterMs }));
    service.script(payout.payoutId, busy(), busy(50));
    expect(await payAndEnd('payout.send', payout)).toMatchObject({ done: { attempts: 3, replayed: false } });
    expect([service.runsOf(payout.payoutId), service.looksOf(payout.payoutId)]).toEqual([3, 0]);
    expect(service.taken(payout.payoutId)).toHaveLength(1);
  });

  test('counts in the metrics under its job type, which are there before anything happened', async () => {
    const metrics = await running.plugin.metrics();
    expect(metrics).toMatch(
      /fillsafe_activity_attempts_total\{job_type="payout\.send",kind="first",outcome="success"\} \d/,
    );
    expect(metrics).toContain('fillsafe_side_effects_total{job_type="payout.ask",result="executed"} 0');
    expect(metrics).toContain('fillsafe_circuit_breaker_state{venue="books",job_type="payout.ask",state="CLOSED"} 1');
    expect(metrics).toContain('fillsafe_outcome_unknown_jobs{venue="books"} 0');
    expect(metrics).not.toContain('venue="books",job_type="order.place"');
  });

  test('says so in the log when its run never asked its ticket', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, (take) => Promise.resolve(take()));
    expect(await payAndEnd('payout.send', payout)).toMatchObject({ done: { status: 'done' } });
    expect(desk.lines.join('\n')).toMatch(/"jobType":"payout\.send".*never called ticket\.pass\(\)/);
  });
});

describe('the history of a workflow with effects that somebody defined replays', () => {
  test('when the answer was lost', async () => {
    const payout = aPayout();
    service.script(payout.payoutId, answerLost);
    const handle = await start('payout.send', payout);
    await endOf(handle);
    await replay(handle.workflowId);
  });

  test('when activities of other kinds are named like job types: they stay what they are', async () => {
    const payout = aPayout();
    const handle = await running.client.workflow.start('payPolitely', {
      workflowId: `politely-${payout.payoutId}`,
      taskQueue: THEIR_QUEUE,
      args: [payout],
    });
    expect(await handle.result()).toEqual(['Dear ann', `r-1-${payout.payoutId}`, 'Dear ann']);
    expect(await activitiesOf(handle)).toEqual([
      `greet.politely on ${THEIR_QUEUE}`,
      'payout.send on fillsafe.payout.send.books',
      `greet.politely on ${THEIR_QUEUE}`,
    ]);
    await replay(handle.workflowId);
  });
});

test('settings for a job type that no effect has are said in the log: they may be misspelt', async () => {
  const { config } = running;
  const retry = { ...config.retry, policy: { ...config.retry.policy, 'payout.snd': { most_sends: 1 } } };
  const said: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) });
  const plugin = await createFillsafePlugin({ config: { ...config, retry }, log, ownEffects: [service.send] });
  await plugin.close();
  expect(said.join('\n')).toMatch(
    /"jobTypes":\["payout\.snd"\],"msg":"there are settings for job types that this worker does not/,
  );
});

test('two effects of one job type are refused by the plugin', async () => {
  const twice = createFillsafePlugin({ config: running.config, ownEffects: [service.send, service.send] });
  await expect(twice).rejects.toThrow('payout.send: there are two effects of this job type');
});
