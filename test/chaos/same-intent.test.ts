import { loadConfig } from '../../src/config/load';
import { startPaperVenue, type PaperVenue } from '../../src/venues/paper/server';
import { distinctAnswers, runCrowd } from '../support/crowd/crowd';
import { LONG } from '../support/long-runs';
import { startTestRedis, type TestRedis } from '../support/redis';
import { testStack, type TestStack } from '../support/stack';

const ORDER = { intentId: 'crowd', venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'MARKET', quantity: '23' };
const THE_ANSWER = {
  intentId: 'crowd',
  status: 'done',
  order: { status: 'FILLED', executedQuantity: '23' },
  attempts: 1,
};
/** The first one's answer takes a while: all others find it at work. */
const SLOW = { kind: 'delay', ms: 1_500, phase: 'after', match: { method: 'POST', path: '/api/v3/order' } };

describe('10,000 attempts of one intent, by 20 processes at the same moment', () => {
  let redis: TestRedis;
  let venue: PaperVenue;
  let answers: Record<string, unknown>[];

  beforeAll(async () => {
    [redis, venue] = await Promise.all([startTestRedis(), startPaperVenue({ faults: [SLOW] as never })]);
    // On a slow machine all are slow together; how late one may be is not what is shown here.
    const patient = { timeout_ms: 60_000, send_within_ms: 30_000, clock_error_ms: 30_000 };
    const account = { adapter: 'paper', base_url: venue.url, api_key: 'paper-key', api_secret: 'paper-secret' };
    const policy = { start_to_close_seconds: 200 };
    const config = loadConfig({
      env: {},
      flags: {
        redis: { url: redis.url, command_timeout_ms: 60_000, acknowledged: { persistence: 'none' } },
        venues: { paper: { ...account, ...patient } },
        retry: { policy: { 'order.place': policy, 'order.cancel': policy } },
      },
    });
    answers = await runCrowd('attempts', { processes: 20, calls: 500, config, order: ORDER });
  }, 300_000);
  afterAll(() => Promise.all([redis.stop(), venue.close()]));

  test('leave one order at the venue', async () => {
    const { totals } = (await (await fetch(`${venue.url}/truth?totals`)).json()) as { totals: object };
    expect(totals).toMatchObject({ orders: 1, executions: 1, duplicates: 0 });
  });

  test('all get its answer, one of them at most as its own', () => {
    expect(answers).toHaveLength(10_000);
    expect(distinctAnswers(answers)).toMatchObject([THE_ANSWER]);
    // None, where even the first one's answer was lost on a slow machine and looked up.
    expect(answers.filter(({ replayed }) => replayed === false).length).toBeLessThanOrEqual(1);
  });
});

const CLIENTS = LONG ? { processes: 20, calls: 500 } : { processes: 4, calls: 50 };
const SUBMITS = CLIENTS.processes * CLIENTS.calls;

describe(`${SUBMITS} submits of one intent, by ${CLIENTS.processes} processes at the same moment, some as jobs of their own`, () => {
  let stack: TestStack;
  let answers: Record<string, unknown>[];

  beforeAll(async () => {
    stack = await testStack();
    await stack.addFaults([SLOW]);
    answers = await runCrowd('submits', { ...CLIENTS, config: stack.config, order: ORDER, otherEvery: 25 });
  }, 600_000);
  afterAll(() => stack.end());

  test('leave one order at the venue', async () => {
    expect((await stack.truth()).totals).toMatchObject({ orders: 1, executions: 1, duplicates: 0 });
  });

  test('all get its answer', () => {
    expect(answers).toHaveLength(SUBMITS);
    expect(distinctAnswers(answers)).toMatchObject([THE_ANSWER]);
  });
});
