import type { Redis } from 'ioredis';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { lookUpActivity } from '../../activities/look-up';
import type { LookUpAnswer } from '../../src/domain/job-plan';
import { effectHarness, ORDER, venueSays, type AttemptOptions } from '../support/effect-harness';
import { scriptedVenue } from '../support/scripted-venue';
import { startTestRedis, type TestRedis } from '../support/redis';

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());

/** A worker, a venue, and the look-up of an act that no worker took before its time was over. */
function rig(expiresAt = Date.now() - 1) {
  const venue = scriptedVenue();
  const namespace = server.namespace();
  const worker = venue.serve(effectHarness(redis, { namespace }));
  let looks = 0;
  const { lookUp } = worker.effects['order.place'];
  worker.effects['order.place'].lookUp = (...about) => ((looks += 1), lookUp(...about));
  const expired = { ...ORDER, expiresAt };
  return {
    ...{ worker, venue, namespace },
    looks: () => looks,
    attempt: (options: AttemptOptions) => worker.attempt({ input: expired, ...options }),
    /** The answer, or what keeps it from giving one yet. */
    async end({ neverTaken = true } = {}): Promise<LookUpAnswer | string> {
      await worker.open();
      const workflowExecution = { workflowId: 'order:f1', runId: 'run-1' };
      const environment = new MockActivityEnvironment({ activityType: 'lookUp', activityId: '2', workflowExecution });
      const request = { jobType: 'order.place', input: expired, givenUp: '1', neverTaken };
      try {
        return (await environment.run(lookUpActivity(worker.runtime) as never, request as never)) as LookUpAnswer;
      } catch (error) {
        if (!(error instanceof ApplicationFailure)) throw error;
        return error.message;
      }
    },
  };
}

const EXPIRED = {
  outcome: 'rejected',
  category: 'EXPIRED',
  message: expect.stringMatching(/expiresAt .* has passed before a worker took it: nothing was sent/) as string,
};

describe('an act that no worker took before its time was over', () => {
  it('ends as EXPIRED without a look at the venue, and so it does for whoever asks later', async () => {
    const { worker, end, looks, attempt } = rig();
    expect(await end()).toEqual(EXPIRED);
    expect(await end()).toEqual(EXPIRED);
    expect(looks()).toBe(0);
    expect(await worker.record()).toMatchObject({ state: 'REJECTED', payload: { category: 'EXPIRED' } });
    expect(await attempt({ runId: 'run-2' })).toMatchObject({ failure: { type: 'EXPIRED' } });
    expect(await worker.attempt({ runId: 'run-3' })).toMatchObject({ failure: { type: 'CONFLICT' } });
    expect(worker.seen.sends).toBe(0);
  });

  it('ends so too where earlier attempts were held or refused before the venue took anything', async () => {
    const { worker, end, looks, attempt } = rig(Date.now() + 60_000);
    await attempt({ act: () => Promise.reject(venueSays({ httpStatus: 429, headers: { 'retry-after': '1' } })) });
    expect(await worker.record()).toMatchObject({ state: 'RELEASED', sends: 0 });
    worker.effects['order.place'].lifeMs = () => 0;
    expect(await end()).toEqual(EXPIRED);
    expect(looks()).toBe(0);
  });

  it('is whatever another workflow made of it', async () => {
    const { end, venue, attempt, worker } = rig();
    worker.effects['order.place'].expiresAt = () => undefined;
    await attempt({ runId: 'run-2', act: venue.take('f1') });
    expect(await end()).toMatchObject({ outcome: 'done', result: { order: { orderId: '1' } } });
  });

  it('is not told before another workflow, which is at it, has come to an end', async () => {
    const { end, venue, attempt, worker } = rig();
    worker.effects['order.place'].expiresAt = () => undefined;
    let meanwhile: unknown;
    await attempt({ runId: 'run-2', act: venue.take('f1', async () => (meanwhile = await end())) });
    expect(meanwhile).toMatch(/another worker is at it/);
    expect(await end()).toMatchObject({ outcome: 'done' });
  });

  it('is asked for at the venue where Redis may have lost what was done', async () => {
    const { end, looks, worker, namespace, attempt, venue } = rig();
    worker.effects['order.place'].expiresAt = () => undefined;
    await attempt({ runId: 'run-2', act: venue.take('f1') });
    await server.admin.del(...(await server.admin.keys(`${namespace}:*`)));
    expect(await end()).toMatchObject({ outcome: 'done', result: { order: { orderId: '1' } } });
    expect(looks()).toBe(1);
  });
});

describe('an act that a worker may have taken', () => {
  it('is asked for at the venue where no record tells of it', async () => {
    const { end, looks } = rig();
    expect(await end({ neverTaken: false })).toMatch(/scripted|no such order/);
    expect(looks()).toBe(1);
  });
});
