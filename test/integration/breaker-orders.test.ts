import { firstBrokenRow, nextRow } from '../../src/breaker/control/audit';
import { parseScope } from '../../src/breaker/scope';
import { readBreakers, type BreakerLine } from '../../src/cli/read-breakers';
import type { SubmittedJob } from '../../src/client/client';
import type { PlaceOrderInput } from '../../src/domain/order';
import { breakerDesk, rowIn } from '../support/breaker-desk';
import { runCli } from '../support/run-cli';

// Each command of the command line is a process of its own, and so is Python.
jest.setTimeout(120_000);

// Three failures open a breaker for a while.
const breakers = breakerDesk({
  settings: {
    FILLSAFE_RETRY__CIRCUIT_BREAKER__FAILURES_IN_ROW: '3',
    FILLSAFE_RETRY__CIRCUIT_BREAKER__OPEN_SECONDS: '40',
    FILLSAFE_RETRY__CIRCUIT_BREAKER__MAXIMUM_OPEN_SECONDS: '40',
    FILLSAFE_RETRY__CIRCUIT_BREAKER__RAMP_SECONDS: '1',
    FILLSAFE_RETRY__CIRCUIT_BREAKER__SUCCESSES_TO_CLOSE: '1',
  },
});
const {
  desk,
  ways,
  fillsafe,
  temporalCli,
  control,
  streamOf,
  rowsInRedis,
  rowsInWorkflow,
  until,
  untilState,
  placements,
} = breakers;
const SCOPE = 'paper/order.place';
const close = (actor: string) => ({ action: 'close', reason: 'a drill, nothing else', actor, forSeconds: 600 });

const workflowOf = (scope: string) => desk.stack.client.temporal.workflow.getHandle(`breaker:${scope}`);
const lineOf = async (scope: string): Promise<BreakerLine> =>
  (await readBreakers(desk.stack.config, [parseScope(scope)]))[0]!;

describe.each(Object.keys(ways))('an order by %s', (name) => {
  const way = ways[name]!;
  const actor = name.replaceAll(' ', '-');

  it('is in force, and leaves exactly one row, the same in Redis and in the workflow', async () => {
    const before = await rowsInRedis(SCOPE);
    expect(await way(SCOPE, close(actor))).toMatchObject({ code: 0 });
    await untilState(SCOPE, ({ number, inEffect }) => inEffect && number > before.length);
    const rows = await rowsInRedis(SCOPE);
    expect(rows.slice(0, -1)).toEqual(before);
    expect(rows.at(-1)).toMatchObject({ ...close(actor), scope: SCOPE, number: before.length + 1, ticket: null });
    expect(await rowsInWorkflow(SCOPE)).toEqual(rows);
    expect(await control(SCOPE).state()).toMatchObject({ standing: 'FORCED_CLOSED', force: { actor } });
    expect(await lineOf(SCOPE)).toMatchObject({ standing: 'FORCED_CLOSED', override: { actor } });
  });

  it('that is wrong leaves none, and whoever gave it is told', async () => {
    const before = await control(SCOPE).state();
    const { code, said } = await way(SCOPE, { ...close(actor), action: 'shut' });
    if (name.startsWith('a signal')) {
      expect(code).toBe(0);
      await untilState(SCOPE, ({ refused }) => refused !== null && refused.at !== before?.refused?.at);
      const { refused } = (await control(SCOPE).state())!;
      expect(refused?.what).toContain('action: "shut" must be one of open, close, auto, kill, unkill');
      const page = await temporalCli('workflow', 'metadata', '--workflow-id', `breaker:${SCOPE}`);
      expect(page.stdout).toContain('| REFUSED | at');
    } else {
      expect(code).toBe(name === 'the command line' ? 2 : 1);
      expect(said).toContain('shut');
      expect(said).toContain(name === 'the command line' ? 'unknown command' : 'must be one of open, close');
    }
    expect((await control(SCOPE).state())?.number).toBe(before?.number);
    expect(await rowsInRedis(SCOPE)).toHaveLength(before?.number ?? 0);
  });
});

describe('orders', () => {
  it('that race each leave one row, in one chain', async () => {
    const before = await rowsInRedis(SCOPE);
    const racing = Array.from({ length: 30 }, (_, i) =>
      control(SCOPE).override({ ...close(`racer-${i}`), action: 'close' }),
    );
    const answers = await Promise.all(racing);
    const rows = await rowsInRedis(SCOPE);
    const actors = rows.slice(before.length).map(({ actor }) => actor);
    expect([...actors].sort()).toEqual(Array.from({ length: 30 }, (_, i) => `racer-${i}`).sort());
    expect(Math.max(...answers.map(({ number }) => number))).toBe(rows.length);
    expect(await rowsInWorkflow(SCOPE)).toEqual(rows.slice(-50));
    expect(await fillsafe('breaker', 'history', SCOPE, '--verify')).toMatchObject({ code: 0 });
    // The last one to be taken is the one in force.
    expect(await control(SCOPE).state()).toMatchObject({ force: { actor: actors.at(-1) } });
  });

  it('outlive the runs of their workflow, which are many', async () => {
    const { raw, runId } = await workflowOf(SCOPE).describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(runId);
  });

  it('that are one update sent twice are one order', async () => {
    const before = await rowsInRedis(SCOPE);
    const handle = workflowOf(SCOPE);
    const send = () => handle.executeUpdate('override', { updateId: 'sent-twice', args: [close('ann')] });
    await Promise.all([send(), send()]);
    // A run later: Temporal itself tells updates of one run apart only.
    const { runId } = await handle.describe();
    const isAnotherRun = async (): Promise<boolean> => (await handle.describe()).runId !== runId;
    for (let i = 0; !(await isAnotherRun()); i++) await control('paper/order.place').restore([]);
    await send();
    expect((await rowsInRedis(SCOPE)).slice(before.length)).toMatchObject([close('ann')]);
  });

  it('to a venue that no worker has are refused by a sentence, whoever believes in it', async () => {
    const sentence = 'no venue "papr" is configured; there are';
    const kill = { ...close('ann'), action: 'kill' };
    const byPython = await ways['an update from Python']!('papr', kill);
    expect(byPython).toMatchObject({ code: 1, said: expect.stringContaining(sentence) as string });
    // Somebody's command line has a venue that the workers have not.
    const venue = { ADAPTER: 'paper', BASE_URL: 'http://127.0.0.1:1', API_KEY: 'k', API_SECRET: 's' };
    const env = Object.fromEntries(
      Object.entries(venue).map(([name, value]) => [`FILLSAFE_VENUES__PAPR__${name}`, value]),
    );
    const args = ['breaker', 'kill', 'papr', '--reason', 'x', '--config', desk.stack.stack.info.config];
    expect(await runCli(args, { env })).toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) as string });
    await ways['a signal of the temporal CLI']!('papr', kill);
    await expect(workflowOf('papr').result()).rejects.toMatchObject({
      cause: { type: 'INVALID', message: expect.stringContaining(sentence) as string },
    });
    expect(await rowsInRedis('papr')).toEqual([]);
  });
});

describe('the command line', () => {
  it.each([
    ['no reason', ['kill', 'paper'], "required option '--reason <text>' not specified"],
    ['no time', ['open', 'paper', '--reason', 'x'], "required option '--for <time>' not specified"],
    ['a time without unit', ['open', 'paper', '--reason', 'x', '--for', '5'], '--for: "5" must be a whole number with'],
    ['too long a time', ['open', 'paper', '--reason', 'x', '--for', '31d'], 'forSeconds: 2678400 must be'],
    ['a reason of two lines', ['kill', 'paper', '--reason', 'x\ny'], 'reason: must be one line'],
    ['a scope that is none', ['kill', 'paper/x/y', '--reason', 'x'], 'must be all, <venue>, <venue>/<jobType>'],
    ['a venue that is not configured', ['kill', 'papr', '--reason', 'x'], '"papr" is not configured; configured are'],
    ['a venue of the other lane', ['kill', 'elsewhere', '--reason', 'x'], '"elsewhere" is a live venue'],
    ['everything to be opened', ['open', 'all', '--reason', 'x', '--for', '5m'], 'there are only kill and unkill'],
    ['a breaker to show that is none', ['show', 'paper/'], 'scope: "paper/"'],
  ])('refuses %s as bad usage, exit 2', async (_what, args, sentence) => {
    const end = await fillsafe('breaker', ...args);
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toContain(sentence);
  });

  it('lists every breaker, one shows what happened to it, its history every order', async () => {
    await control('paper/account/main').override({ ...close('ann'), action: 'open', ticket: 'OPS-1' });
    const list = await fillsafe('breaker', 'list');
    const lineFor = (scope: string) => list.stdout.split('\n').find((line) => line.startsWith(`${scope} `));
    for (const scope of ['all', 'paper', SCOPE, 'paper/order.cancel']) expect(lineFor(scope)).toBeDefined();
    expect(lineFor('paper/account/main')).toMatch(/FORCED OPEN, jobs are held +\d+ s ago .* open by ann, \d+ min left/);
    const lines = (await fillsafe('breaker', 'list', '--json')).json();
    expect(lines).toContainEqual(
      expect.objectContaining({ scope: 'paper/account/main', standing: 'FORCED_OPEN', held: true, heldBy: null }),
    );
    const shown = await fillsafe('breaker', 'show', 'paper/account/main');
    expect(shown.stdout).toMatch(/state +FORCED OPEN, jobs are held/);
    expect(shown.stdout).toMatch(/workflow +breaker:paper\/account\/main/);
    expect(shown.stdout).toContain('ann ordered open for 600 s: a drill, nothing else');
    const [line] = (await fillsafe('breaker', 'show', 'paper/account/main', '--json')).json<{
      since: string;
      control: { force: { at: string } };
    }>();
    expect(line).toMatchObject({ standing: 'FORCED_OPEN', control: { number: 1, force: { ticket: 'OPS-1' } } });
    expect(line?.since).toBe(line?.control.force.at);
    const history = await fillsafe('breaker', 'history', 'paper/account/main');
    expect(history.stdout).toMatch(/^1 +\S+ +open +10 min +ann +OPS-1 +[0-9a-f]{12} +a drill, nothing else$/m);
    expect((await fillsafe('breaker', 'history', 'paper/account/none')).stdout).toContain(
      'nobody has ordered anything',
    );
  });

  it('proves the chain, and names the first row that somebody took out or made anew', async () => {
    const verify = async () => {
      const end = await fillsafe('breaker', 'history', SCOPE, '--verify', '--json');
      return { code: end.code, ...end.json<{ verified: boolean; broken: object | null; rows: object[] }>()[0] };
    };
    const { redis } = breakers;
    const stream = streamOf('paper');
    const entries = await redis.xrange(stream, '-', '+');
    const put = async (all: [string, string[]][]): Promise<void> => {
      await redis.del(stream);
      for (const [id, fields] of all) await redis.xadd(stream, id, ...fields);
    };
    const rows = await rowsInRedis(SCOPE);
    expect(await verify()).toMatchObject({ code: 0, verified: true, broken: null, compared: true, rows });

    const indexOf = (number: number): number =>
      entries.findIndex(([, fields]) => rowIn(fields)?.hash === rows[number - 1]!.hash);
    for (const number of [1, 5, rows.length]) {
      await put(entries.toSpliced(indexOf(number), 1));
      expect(await verify()).toMatchObject({ code: 1, verified: false, broken: { venue: 'paper', number } });
    }
    // Somebody who knows how: each row from the fourth on fits the one before it.
    const forged = rows.slice(0, 3);
    for (const row of rows.slice(3)) {
      const { action, reason } = row;
      const more = row.forSeconds === null ? {} : { forSeconds: row.forSeconds };
      forged.push(nextRow(SCOPE, forged.at(-1)!, { action, reason, actor: 'eve', ...more }, row.at));
    }
    await put(
      entries.map(([id, fields]) => {
        const row = forged[(rowIn(fields)?.scope === SCOPE ? rowIn(fields)!.number : 0) - 1];
        return [id, row ? fields.with(fields.indexOf('row') + 1, JSON.stringify(row)) : fields];
      }),
    );
    expect(firstBrokenRow(await rowsInRedis(SCOPE))).toBeUndefined();
    expect(await verify()).toMatchObject({ code: 1, verified: false, broken: { venue: 'paper', number: 4 } });
    expect((await fillsafe('breaker', 'history', SCOPE, '--verify')).stdout).toContain(
      'the audit at paper was TAMPERED WITH: row 4 (close by eve',
    );
    await put(entries);
    expect(await verify()).toMatchObject({ code: 0, verified: true });
  });
});

describe('what is ordered', () => {
  const resting = { price: '0.0004', quantity: '30' };
  const outcomes = (jobs: SubmittedJob[]) => Promise.all(jobs.map((job) => job.outcome()));
  const submit = (...orders: PlaceOrderInput[]): Promise<SubmittedJob[]> =>
    Promise.all(orders.map((order) => desk.stack.client.submit('order.place', order)));
  /** Each job waits in its queue, or has been told to come back by a breaker. */
  const untilHeld = (...jobs: SubmittedJob[]): Promise<void> =>
    until(async () => {
      const acts = await Promise.all(jobs.map(({ workflowId }) => actOf(workflowId)));
      return acts.every((act) => act && (act.attempt === 1 || act.why === 'BREAKER_OPEN'));
    });
  const actOf = async (workflowId: string): Promise<{ attempt: number; why: string } | undefined> => {
    const { raw } = await desk.stack.client.temporal.workflow.getHandle(workflowId).describe();
    const [act] = raw.pendingActivities ?? [];
    return act && { attempt: act.attempt ?? 0, why: act.lastFailure?.applicationFailureInfo?.type ?? '' };
  };
  beforeAll(async () => {
    await control(SCOPE).override({ ...close('ann'), action: 'auto' });
    await control('paper/account/main').override({ ...close('ann'), action: 'auto' });
  });

  it('as a kill of everything lets nothing leave but cancels, and unkill lets the jobs go, none twice', async () => {
    const order = desk.anOrder(resting);
    await outcomes(await submit(order));
    expect(await fillsafe('breaker', 'kill', 'all', '--reason', 'a drill')).toMatchObject({ code: 0 });
    const before = await placements();
    const jobs = await submit(...Array.from({ length: 5 }, () => desk.anOrder()));
    const cancel = { intentId: 'cancel-in-kill', venue: 'paper', symbol: order.symbol, orderIntentId: order.intentId };
    expect(await (await desk.stack.client.submit('order.cancel', cancel)).outcome()).toMatchObject({ status: 'done' });
    await untilHeld(...jobs);
    expect(await placements()).toBe(before);
    // Temporal itself holds the queue, so that no attempt is spent; and Redis says so at every venue.
    const line = (await fillsafe('breaker', 'list', '--json')).json().find(({ scope }) => scope === SCOPE);
    expect(line).toMatchObject({ standing: 'CLOSED', heldBy: 'all' });
    expect(await rowsInRedis('all', 'paper')).toMatchObject([{ action: 'kill' }]);
    expect(await rowsInRedis('all', 'books')).toEqual(await rowsInRedis('all', 'paper'));

    expect(await fillsafe('breaker', 'unkill', 'all', '--reason', 'the drill is over')).toMatchObject({ code: 0 });
    expect((await outcomes(jobs)).map(({ status }) => status)).toEqual(jobs.map(() => 'done'));
    expect(await placements()).toBe(before + jobs.length);
    expect((await desk.stack.truth()).totals.duplicates).toBe(0);
    expect(await fillsafe('breaker', 'history', 'all', '--verify')).toMatchObject({ code: 0 });
  });

  it('of one account holds its jobs by the breaker alone, and no others', async () => {
    await control('paper/account/main').override({ ...close('ann'), action: 'kill' });
    const held = await submit(desk.anOrder({ account: 'main' }), desk.anOrder({ account: 'main' }));
    await until(async () =>
      (await Promise.all(held.map(({ workflowId }) => actOf(workflowId)))).every((act) => act?.why === 'BREAKER_OPEN'),
    );
    expect(await outcomes(await submit(desk.anOrder({ account: 'other' }), desk.anOrder()))).toMatchObject([
      { status: 'done' },
      { status: 'done' },
    ]);
    await control('paper/account/main').override({ ...close('ann'), action: 'unkill' });
    expect(await outcomes(held)).toMatchObject([{ status: 'done' }, { status: 'done' }]);
  });

  it('as forced open ends by itself, and then the venue is tried before jobs pass', async () => {
    await control('paper').override({ ...close('ann'), action: 'open', forSeconds: 5 });
    const before = await placements();
    const jobs = await submit(desk.anOrder(), desk.anOrder());
    await untilHeld(...jobs);
    expect(await placements()).toBe(before);
    expect(await lineOf('paper')).toMatchObject({ standing: 'FORCED_OPEN' });
    expect(await outcomes(jobs)).toMatchObject([{ status: 'done' }, { status: 'done' }]);
    await untilState('paper', ({ events }) => events.some(({ what }) => what.startsWith('breaker OPEN → HALF_OPEN')));
    const { standing, events } = (await control('paper').state())!;
    expect(standing).toBe('AUTOMATIC');
    const told = events.map(({ what }) => what.split(':')[0]);
    expect(told).toContain('what ann ordered (open) has ended');
    // Acts are tried one by one before any share of them passes.
    const turns = told.filter((what) => what?.startsWith('breaker '));
    expect(turns[turns.findIndex((turn) => turn?.endsWith('→ OPEN')) + 1]).toBe('breaker OPEN → HALF_OPEN');
  });

  it('as forced closed ends by itself, and the breaker is as the venue made it meanwhile', async () => {
    // The venue's own breaker may still be coming back from before, and would open first.
    await control('paper').override({ ...close('ann'), action: 'close' });
    await desk.stack.addFaults([{ kind: 'error_5xx_not_executed', match: { method: 'POST', path: '/api/v3/order' } }]);
    const failing = await submit(desk.anOrder(), desk.anOrder(), desk.anOrder());
    await until(async () => (await lineOf(SCOPE)).state === 'OPEN');
    await desk.stack.clearFaults();
    await control(SCOPE).override({ ...close('ann'), action: 'close', forSeconds: 30 });
    expect(await outcomes(await submit(desk.anOrder()))).toMatchObject([{ status: 'done' }]);
    expect(await lineOf(SCOPE)).toMatchObject({ standing: 'FORCED_CLOSED', state: 'OPEN' });
    await untilState(SCOPE, ({ standing }) => standing === 'AUTOMATIC');
    await until(async () => (await lineOf(SCOPE)).standing === 'OPEN');
    const held = await submit(desk.anOrder());
    await untilHeld(...held);
    // Its own time would be long: ordered open and let go, it is tried at once.
    await control(SCOPE).override({ ...close('ann'), action: 'open', forSeconds: 600 });
    await control(SCOPE).override({ ...close('ann'), action: 'auto' });
    expect((await outcomes([...failing, ...held])).filter(({ status }) => status !== 'done')).toEqual([]);
    expect((await desk.stack.truth()).totals.duplicates).toBe(0);
  });
});
