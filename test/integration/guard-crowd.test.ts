import { ANSWER, effectHarness } from '../support/effect-harness';
import { startTestRedis, type TestRedis } from '../support/redis';

const CALLERS = 50;
let server: TestRedis;

beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

test('a crowd that waits for one act asks the guard as one', async () => {
  const job = effectHarness(await server.connect(), { namespace: server.namespace() });
  let release = (): void => undefined;
  const acting = job.attempt({
    act: (ticket) => {
      ticket.pass();
      return new Promise((resolve) => (release = () => resolve(ANSWER)));
    },
  });
  while (job.seen.sends === 0) await job.record();

  const asked = new Map<string, number>();
  const admit = job.guard.admit.bind(job.guard);
  const askedLong = new Promise<void>((resolve) => {
    job.guard.admit = async (ref, request) => {
      const caller = request.owner.activity;
      const times = (asked.get(caller) ?? 0) + 1;
      asked.set(caller, times);
      if (times === 5) resolve();
      return admit(ref, request);
    };
  });
  const crowd = Array.from({ length: CALLERS }, (_, caller) => job.attempt({ runId: `caller-${caller}` }));
  await askedLong;
  release();
  const ends = await Promise.all([acting, ...crowd]);
  expect(ends.map(({ result }) => result?.['order'])).toEqual(ends.map(() => ANSWER));
  expect(job.seen.sends).toBe(1);
  // Each at the beginning and at the end, and one for all in between: for themselves they would ask 300 times.
  const questions = [...asked.values()].reduce((sum, times) => sum + times, 0);
  expect(questions).toBeLessThan(2 * CALLERS + 20);
});
