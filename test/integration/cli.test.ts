import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliStack } from '../support/cli-stack';
import { runCli } from '../support/run-cli';

jest.setTimeout(120_000);

const cli = cliStack();
const { clientOrderId, fillsafe, file, order, ordersOf, submit } = cli;
const EXAMPLE = join(__dirname, '..', '..', 'examples', 'data', 'strategy-orders-2018-01.csv');

describe('submit', () => {
  it('places an order and answers a second submit with the same order, replayed', async () => {
    const first = await submit('once', {}, '--wait');
    const again = await submit('once', {}, '--wait');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const [line] = first.json<{ result: { order: { orderId: string } } }>();
    expect(line).toMatchObject({
      intentId: 'once',
      workflowId: 'order:once',
      status: 'done',
      result: { replayed: false },
    });
    expect(again.json()[0]).toMatchObject({
      status: 'done',
      result: { replayed: true, order: { orderId: line?.result.order.orderId } },
    });
    await expect(ordersOf('once')).resolves.toBe(1);
  });

  it('refuses the same intent with another payload as CONFLICT, exit 3', async () => {
    const end = await submit('once', { quantity: '31' });
    expect(end.code).toBe(3);
    expect(end.json()).toMatchObject([{ intentId: 'once', status: 'refused', category: 'CONFLICT' }]);
  });

  it('tells a refusal of the venue with its category, exit 1', async () => {
    const end = await submit('too-much', { quantity: '99999999' }, '--wait');
    expect(end.code).toBe(1);
    expect(end.json()).toMatchObject([{ intentId: 'too-much', status: 'refused', category: 'FUNDS' }]);
  });

  it('fills in the venue where exactly one is configured, and refuses a venue that is not', async () => {
    const end = await submit('no-venue', { venue: undefined }, '--wait');
    expect(end).toMatchObject({ code: 0 });
    const unknown = await submit('no-venue-2', { venue: undefined }, '--venue', 'binance');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('"binance" is not configured; configured are: paper');
  });

  it('says that a job still runs when its time is up, exit 3, and the job goes on', async () => {
    const id = clientOrderId('slow');
    const fault = { kind: 'delay', ms: 6_000, times: 1, match: { method: 'POST', clientOrderId: id } };
    await fetch(`${cli.info.paper}/admin/faults`, { method: 'POST', body: JSON.stringify(fault) });
    const early = await submit('slow', {}, '--timeout', '1');
    expect(early.code).toBe(3);
    expect(early.json()).toMatchObject([{ intentId: 'slow', status: 'running' }]);
    const late = await submit('slow', {}, '--wait');
    expect(late.json()).toMatchObject([{ status: 'done' }]);
    await expect(ordersOf('slow')).resolves.toBe(1);
  });

  it('refuses a number that JSON would round, by field and digits, exit 2', async () => {
    const json = order('rounded').replace('"30"', '12345678901234567890');
    const end = await fillsafe('submit', 'order.place', '--input', json);
    expect(end.code).toBe(2);
    expect(end.stdout).toContain('quantity: 12345678901234567890');
    const numeric = await fillsafe('submit', 'order.place', '--input', order('numeric', { quantity: 30 }));
    expect(numeric.code).toBe(2);
    expect(numeric.stdout).toContain('quantity: 30 must be a decimal string');
    await expect(ordersOf('numeric')).resolves.toBe(0);
  });

  it('takes the example file as it is', async () => {
    const rows = readFileSync(EXAMPLE, 'utf8').split('\n').slice(0, 13).join('\n');
    const end = await fillsafe('submit', 'order.place', '--file', file('twelve.csv', rows), '--wait', '--json');
    expect(end.code).toBe(0);
    expect(end.json().filter(({ status }) => status === 'done')).toHaveLength(12);
    await expect(ordersOf('t000-in')).resolves.toBe(1);
  });

  it('names a bad row by its line, starts the others, and ends with 1', async () => {
    const header = 'intentId,symbol,side,type,quantity,price';
    const rows = ['m-1,ADABTC,BUY,LIMIT,30,0.00004756', 'm-2,ADABTC,BUY,LIMIT,3e1,0.00004756', 'm-3,ADABTC,BUY'];
    const csv = file('mixed.csv', [header, ...rows, ''].join('\n'));
    const end = await fillsafe('submit', 'order.place', '--file', csv, '--wait');
    expect(end.code).toBe(1);
    expect(end.stdout).toMatch(/line 3: m-2 refused, INVALID: quantity: "3e1"/);
    expect(end.stdout).toMatch(/line 4: .*has 3 values, the header names 6 fields/);
    await expect(ordersOf('m-1')).resolves.toBe(1);
  });

  it('starts nothing at all with --strict when one row is bad, exit 2', async () => {
    const lines = [order('s-1'), order('s-2', { side: 'HOLD' }), order('s-1', { quantity: '31' })];
    const end = await fillsafe(
      'submit',
      'order.place',
      '--file',
      file('s.jsonl', lines.join('\n')),
      '--strict',
      '--json',
    );
    expect(end.code).toBe(2);
    expect(end.json()).toMatchObject([
      { intentId: 's-2', category: 'INVALID', line: 2, message: expect.stringContaining('side: "HOLD"') },
      { intentId: 's-1', category: 'CONFLICT', line: 3 },
    ]);
    expect((await fillsafe('job', 's-1')).code).toBe(1);
  });

  it('refuses an unknown column by name before anything is started, exit 2', async () => {
    const csv = file('columns.csv', 'intentId,symbol,side,type,qty,price\nc-1,ADABTC,BUY,LIMIT,30,0.00004756\n');
    const end = await fillsafe('submit', 'order.place', '--file', csv);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('qty: there is no such field; known are intentId');
    await expect(ordersOf('c-1')).resolves.toBe(0);
  });

  it('reads stdin, one JSON object a line', async () => {
    const args = ['submit', 'order.place', '-', '--wait', '--json', '--config', cli.info.config];
    const end = await runCli(args, { stdin: `${order('in-1')}\n\n${order('in-2')}\n` });
    expect(end.code).toBe(0);
    expect(
      end
        .json()
        .map(({ intentId }) => intentId)
        .sort(),
    ).toEqual(['in-1', 'in-2']);
  });

  it('says within a bounded time that Temporal cannot be reached, and where it looked', async () => {
    const env = { FILLSAFE_TEMPORAL__ADDRESS: '127.0.0.1:1', FILLSAFE_TEMPORAL__CONNECT_TIMEOUT_MS: '1000' };
    const args = ['submit', 'order.place', '--input', order('away'), '--config', cli.info.config];
    const end = await runCli(args, { env });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('cannot reach Temporal at 127.0.0.1:1');
  });
});

describe('reading', () => {
  it('tells the story of a job in words and as JSON', async () => {
    const words = await fillsafe('job', 'once');
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(/once: BUY 30 ADABTC @ 0.00004756 on paper\n {2}done: order \d+/);
    expect(words.stdout).toContain('placeOrder, 1 attempt, done');
    expect(words.stdout).toContain(`${cli.info.ui}/namespaces/default/workflows/order%3Aonce`);
    const [line] = (await fillsafe('job', 'once', '--json')).json();
    expect(line).toMatchObject({
      intentId: 'once',
      status: 'done',
      attempts: [{ activityType: 'placeOrder', attempts: 1, state: 'done' }],
      record: { state: 'DONE', sends: 1 },
    });
    const refused = await fillsafe('job', 'too-much');
    expect(refused.stdout).toContain('refused, FUNDS');
  });

  it('says what it means when there is no such job, exit 1', async () => {
    const end = await fillsafe('job', 'never');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('there is no order.place job of intent "never"');
  });

  it('lists jobs by how they stand', async () => {
    const all = await fillsafe('jobs', '--limit', '3');
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(4);
    const refused = (await fillsafe('jobs', '--status', 'refused', '--json')).json();
    expect(refused).toMatchObject([{ intentId: 'too-much', category: 'FUNDS', attempts: 1 }]);
    const bad = await fillsafe('jobs', '--query', 'nonsense =');
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('--query:');
  });

  it('finds the venue in agreement with every intent', async () => {
    const end = await fillsafe('reconcile', '--json');
    expect(end.json()).toMatchObject([
      { duplicates: 0, missing: 0, unexpected: 0, mismatched: 0, unknown: 0, unmatched: 0, rows: [] },
    ]);
    const [{ intents, executions }] = end.json<{ intents: number; executions: number }>() as [
      { intents: number; executions: number },
    ];
    // The refused one has no order.
    expect(executions).toBe(intents - 1);
    expect(end.code).toBe(0);
  });

  it('shows services, workers and breakers', async () => {
    const [status] = (await fillsafe('status', '--json')).json();
    expect(status).toMatchObject({
      services: { temporal: 'ok', redis: 'ok', metrics: 'ok' },
      numbers: { running: 0, refusedLastHour: 1, unresolved: 0, parked: 0, duplicates: 0 },
      breakers: [
        { venue: 'paper', jobType: 'order.place', state: 'CLOSED' },
        { venue: 'paper', jobType: 'order.cancel', state: 'CLOSED' },
      ],
    });
    expect((await fillsafe('status')).stdout).toContain('polling all 4 task queues');
  });

  it('finds nothing wrong with a good stack, and each fault of a bad configuration', async () => {
    const good = await fillsafe('doctor', '--json');
    expect(good.json<{ findings: { state: string }[] }>()[0]?.findings.filter(({ state }) => state !== 'ok')).toEqual(
      [],
    );
    expect(good.code).toBe(0);
    const env = { FILLSAFE_VENUES__PAPER__API_SECRET: 'wrong', REDIS_URL: 'redis://127.0.0.1:1' };
    const bad = await runCli(['doctor', '--json', '--config', cli.info.config], { env });
    const [{ findings }] = bad.json() as [{ findings: object[] }];
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ state: 'fail', what: 'Redis' }),
        expect.objectContaining({ state: 'fail', what: 'venue paper keys' }),
        expect.objectContaining({ state: 'ok', what: 'workers' }),
      ]),
    );
    expect(bad.code).toBe(1);
  });

  it('checks and prints the configuration without its secrets', async () => {
    const bad = await runCli([
      'config',
      'check',
      '--config',
      file('bad.yaml', 'lane: demo\nretry: {redis: {ttl: 3}}\n'),
    ]);
    expect(bad.code).toBe(2);
    expect(bad.stdout).toContain('lane: ');
    expect(bad.stdout).toContain('retry.redis.ttl: there is no such setting');
    const printed = await fillsafe('config', 'print');
    expect(printed.stdout).toContain('api_secret: (hidden)');
    expect(printed.stdout).not.toContain('paper-secret');
    expect((await fillsafe('config', 'check')).code).toBe(0);
  });
});
