import type { Redis } from 'ioredis';
import pino from 'pino';
import { ANSWER, effectHarness, ORDER, venueSays } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { guardKeys } from '../../src/guard/keys';
import { fingerprintOf } from '../../src/domain/fingerprint';
import { rewrite, shiftRecord } from '../model/shift-time';
import { parseJobInput } from '../../src/domain/order.schema';

describe('an attempt whose record moves on while it acts', () => {
  let server: TestRedis;
  let proxy: TcpProxy;
  let namespace: string;
  let redis: Redis;
  let job: ReturnType<typeof effectHarness>;

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    proxy = await startTcpProxy(server.port);
    redis = await server.connect({ commandTimeoutMs: 500, port: proxy.port });
    namespace = server.namespace();
    job = effectHarness(redis, { namespace });
  });
  afterEach(async () => {
    redis.disconnect();
    await proxy.stop();
  });

  async function look(
    theirs: typeof job,
    looker: string,
    seen: { verdict: 'absent' | 'found'; payload: string },
  ): Promise<void> {
    const begun = await theirs.guard.lookBegin(job.ref(), {
      ...{ looker, givenUp: '', fingerprint: fingerprintOf(parseJobInput('order.place', ORDER)), refusal: '' },
      ...{ leaseMs: 1_000, quiesceMs: 0, mostLooks: 9 },
    });
    const fence = 'fence' in begun ? begun.fence : '';
    await theirs.guard.lookEnd(job.ref(), { fence, ...seen, absence: { quiesceMs: 0, looks: 2, gapMs: 0 } });
  }

  /** Others find nothing of the act, long after its last moment, and another workflow places the order. */
  async function sentAgain(orderId: string): Promise<void> {
    const theirs = effectHarness(await server.connect(), { namespace });
    await rewrite(server.admin, guardKeys(namespace).record(job.ref()), (raw) => shiftRecord(raw, 3_600_000));
    for (const looker of ['a', 'b']) await look(theirs, looker, { verdict: 'absent', payload: '{}' });
    const act = (ticket: { pass(): void }) => (ticket.pass(), Promise.resolve({ ...ANSWER, orderId }));
    expect((await theirs.attempt({ runId: 'run-2', act })).result).toMatchObject({ order: { orderId } });
  }

  it('does not tell its caller a refusal that came after another workflow had sent the order again', async () => {
    const { failure } = await job.attempt({
      act: async (ticket) => {
        ticket.pass();
        await sentAgain('7');
        throw venueSays({ httpStatus: 400, code: -2010, message: 'Account has insufficient balance' });
      },
    });

    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(await job.record()).toMatchObject({ state: 'DONE', payload: ANSWER });
  });

  it.each([
    ['at once', true],
    ['when Redis is back that was away by then', false],
  ])('counts and shouts that the order was placed twice, %s', async (_when, isThere) => {
    const lines: string[] = [];
    job.runtime.log = pino({ level: 'fatal' }, { write: (line: string) => void lines.push(line) });
    const { failure, result } = await job.attempt({
      act: async (ticket) => {
        ticket.pass();
        await sentAgain('8');
        if (!isThere) proxy.close();
        return ANSWER;
      },
    });
    if (isThere) expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    else expect(result).toMatchObject({ status: 'done', order: ANSWER });

    proxy.open();
    while ((await job.runtime.outbox.flush()) > 0) await new Promise((resolve) => setImmediate(resolve));
    const { values } = await job.metrics.duplicates.get();
    expect(values.filter(({ value }) => value > 0)).toEqual([
      { labels: { job_type: 'order.place', detected_by: 'fencing' }, value: 1 },
    ]);
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ msg: 'an act happened twice', intentId: 'f1', orderId: '7', recordedOrderId: '8' }),
    ]);
  });

  it('counts an order of which a look had found another one, and has its caller told what the record says', async () => {
    const { failure } = await job.attempt({
      act: async (ticket) => {
        ticket.pass();
        const theirs = effectHarness(await server.connect(), { namespace });
        await rewrite(server.admin, guardKeys(namespace).record(job.ref()), (raw) => shiftRecord(raw, 3_600_000));
        await look(theirs, 'a', { verdict: 'found', payload: JSON.stringify({ ...ANSWER, orderId: '8' }) });
        return ANSWER;
      },
    });
    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    const { values } = await job.metrics.duplicates.get();
    expect(values.filter(({ value }) => value > 0)).toHaveLength(1);
    expect(await job.record()).toMatchObject({ state: 'DONE', payload: { orderId: '8' } });
  });
});
