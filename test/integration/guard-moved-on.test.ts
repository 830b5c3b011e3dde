import { ANSWER, effectHarness, ORDER, venueSays } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';
import { guardKeys } from '../../src/guard/keys';
import { fingerprintOf } from '../../src/domain/fingerprint';
import { rewrite, shiftRecord } from '../model/shift-time';
import { parseJobInput } from '../../src/domain/order.schema';

describe('an attempt whose record moves on while it acts', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());

  it('does not tell its caller a refusal that came after another workflow had sent the order again', async () => {
    const redis = await server.connect();
    const namespace = server.namespace();
    const job = effectHarness(redis, { namespace });
    const timePasses = () =>
      rewrite(redis, guardKeys(namespace).record(job.ref()), (raw) => shiftRecord(raw, 3_600_000));

    const { failure } = await job.attempt({
      act: async (ticket) => {
        ticket.pass();
        await timePasses();
        for (const looker of ['a', 'b']) {
          const look = await job.guard.lookBegin(job.ref(), {
            ...{ looker, givenUp: '', fingerprint: fingerprintOf(parseJobInput('order.place', ORDER)), refusal: '' },
            ...{ leaseMs: 1_000, quiesceMs: 0, mostLooks: 9 },
          });
          const fence = 'fence' in look ? look.fence : '';
          const seen = { verdict: 'absent', payload: '{}', absence: { quiesceMs: 0, looks: 2, gapMs: 0 } } as const;
          await job.guard.lookEnd(job.ref(), { fence, ...seen });
        }
        expect((await job.attempt({ runId: 'run-2' })).result).toMatchObject({ order: ANSWER });
        throw venueSays({ httpStatus: 400, code: -2010, message: 'Account has insufficient balance' });
      },
    });

    expect(failure).toMatchObject({ type: 'OUTCOME_UNKNOWN', nonRetryable: true });
    expect(await job.record()).toMatchObject({ state: 'DONE', payload: ANSWER });
  });
});
