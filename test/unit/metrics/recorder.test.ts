import { JOB_TYPES } from '../../../src/domain/job-types';
import { FAILURE_CATEGORIES } from '../../../src/failures/categories';
import { createMetrics } from '../../../src/metrics/catalog';
import { Recorder } from '../../../src/metrics/recorder';

const valueOf = async (metrics: ReturnType<typeof createMetrics>, series: string): Promise<number> => {
  const line = (await metrics.registry.metrics()).split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no series ${series}`);
  return Number(line.slice(series.length));
};

describe('the recorder', () => {
  it('has every series at zero before anything happened, so that a rate sees the first event', async () => {
    const metrics = createMetrics(['paper']);
    for (const job of JOB_TYPES) {
      for (const category of FAILURE_CATEGORIES) {
        expect(await valueOf(metrics, `fillsafe_failures_total{job_type="${job}",category="${category}"}`)).toBe(0);
      }
      const attempts = `fillsafe_activity_attempts_total{job_type="${job}",kind="retry",outcome="cancelled"}`;
      expect(await valueOf(metrics, attempts)).toBe(0);
      const duplicates = `fillsafe_side_effect_duplicates_total{job_type="${job}",detected_by="fencing"}`;
      expect(await valueOf(metrics, duplicates)).toBe(0);
    }
    expect(await valueOf(metrics, 'fillsafe_outcome_unknown_jobs{venue="paper"}')).toBe(0);
    for (const level of ['venue', 'look-up', ...JOB_TYPES])
      for (const by of ['venue', 'open', 'closed', 'kill']) {
        const held = `fillsafe_circuit_breaker_held{venue="paper",job_type="${level}",by="${by}"}`;
        expect(await valueOf(metrics, held)).toBe(0);
      }
  });

  it('adds no series by what happens: label sets are closed', async () => {
    const metrics = createMetrics(['paper']);
    const recorder = new Recorder(metrics, () => undefined);
    const count = async (): Promise<number> =>
      (await metrics.registry.metrics()).split('\n').filter((line) => line && !line.startsWith('#')).length;
    const before = await count();
    for (const job of JOB_TYPES) {
      recorder.attemptEnded(job, 1, 'success', 0.1);
      recorder.attemptEnded(job, 7, 'failure', 100);
      recorder.blocked(job, 2, 'circuit_open');
      for (const category of [...FAILURE_CATEGORIES, 'INTERNAL', 'whatever a venue says'])
        recorder.failed(job, category);
      recorder.sideEffect(job, 'executed');
      recorder.duplicate(job, 'ledger');
      recorder.breakerTurned('paper', job, 'OPEN');
    }
    await recorder.guard(
      'admit',
      () => 'ok',
      () => Promise.resolve(1),
    );
    expect(await count()).toBe(before);
  });

  it('tells first attempts from retries, and one breaker state from the others', async () => {
    const metrics = createMetrics(['paper']);
    const recorder = new Recorder(metrics, () => undefined);
    recorder.attemptEnded('order.place', 1, 'success', 0.1);
    recorder.attemptEnded('order.place', 3, 'success', 0.1);
    recorder.breakerTurned('paper', 'order.place', 'OPEN');
    const attempts = (kind: string) =>
      valueOf(metrics, `fillsafe_activity_attempts_total{job_type="order.place",kind="${kind}",outcome="success"}`);
    expect([await attempts('first'), await attempts('retry')]).toEqual([1, 1]);
    const state = (name: string) =>
      valueOf(metrics, `fillsafe_circuit_breaker_state{venue="paper",job_type="order.place",state="${name}"}`);
    expect([await state('CLOSED'), await state('OPEN'), await state('HALF_OPEN')]).toEqual([0, 1, 0]);
  });

  it('counts a call of the guard by its answer, and passes answer and error on', async () => {
    const metrics = createMetrics(['paper']);
    const recorder = new Recorder(metrics, () => undefined);
    expect(
      await recorder.guard(
        'settle',
        () => 'fenced',
        () => Promise.resolve('answer'),
      ),
    ).toBe('answer');
    const failing = recorder.guard(
      'settle',
      () => 'ok',
      () => Promise.reject(new Error('away')),
    );
    await expect(failing).rejects.toThrow('away');
    const calls = (result: string) =>
      valueOf(metrics, `fillsafe_idempotency_operations_total{operation="settle",result="${result}"}`);
    expect([await calls('fenced'), await calls('error'), await calls('ok')]).toEqual([1, 1, 0]);
  });

  it('never fails an act: a mistake in measuring is told and forgotten', async () => {
    const heard: unknown[] = [];
    const broken = new Proxy(
      {},
      {
        get: () => {
          throw new Error('broken');
        },
      },
    ) as ReturnType<typeof createMetrics>;
    const recorder = new Recorder(broken, (error) => heard.push(error));
    recorder.attemptEnded('order.place', 1, 'success', 0.1);
    recorder.failed('order.place', 'FUNDS');
    recorder.breakerTurned('paper', 'order.place', 'OPEN');
    expect(
      await recorder.guard(
        'admit',
        () => 'ok',
        () => Promise.resolve('GO'),
      ),
    ).toBe('GO');
    expect(heard.length).toBeGreaterThanOrEqual(4);
    const none = new Recorder(undefined, (error) => heard.push(error));
    expect(() => none.sideEffect('order.place', 'executed')).not.toThrow();
  });
});
