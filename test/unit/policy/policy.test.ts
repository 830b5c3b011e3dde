import fc from 'fast-check';
import { loadConfig } from '../../../src/config/load';
import { backoffMs, clampDelay } from '../../../src/policy/backoff';
import { breakerSettings, jobPolicy, quiesceMs, venueTimes } from '../../../src/policy/job-policy';

const times = { initialMs: 1_000, maximumMs: 30_000 };

describe('the delay before the next attempt', () => {
  it('doubles up to its maximum when nothing is taken off', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 50, 5_000].map((attempt) => backoffMs(attempt, times, () => 0));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('has at most a fifth taken off, so that jobs do not come back together', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const full = backoffMs(attempt, times, () => 0);
          const delay = backoffMs(attempt, times, () => random);
          expect(delay).toBeLessThanOrEqual(full);
          expect(delay).toBeGreaterThanOrEqual(full * 0.8 - 1);
        },
      ),
    );
    expect(backoffMs(1, times, () => 0.5)).toBe(900);
  });

  it('is kept inside the time that the job has left', () => {
    expect(clampDelay(5_000, undefined)).toBe(5_000);
    expect(clampDelay(5_000, 60_000)).toBe(5_000);
    expect(clampDelay(5_000, 6_000)).toBe(4_000);
    expect(clampDelay(5_000, 2_000)).toBeUndefined();
    expect(clampDelay(5_000, -1)).toBeUndefined();
  });
});

describe('the policy of a job', () => {
  it('of a type that people define is the default with their settings laid over it', () => {
    const retry = { policy: { 'payout.send': { most_sends: 2 } } };
    const config = loadConfig({ env: {}, flags: { retry } });
    const { default: usual } = config.retry.policy;
    expect(jobPolicy(config, 'payout.send')).toEqual({ ...usual, most_sends: 2 });
    expect(jobPolicy(config, 'invoice.issue')).toEqual(usual);
    expect(jobPolicy(config, 'order.place')).toMatchObject({ on_absent: 'fail' });
  });

  const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: '', api_secret: '' };
  const load = (flags: object = {}) => loadConfig({ env: {}, flags: { venues: { paper: venue }, ...flags } });

  it('waits until nothing of an attempt can take effect any more: sending, window, processing and clock error', () => {
    expect(quiesceMs(venueTimes(load(), 'paper'))).toBe(2_000 + 5_000 + 10_000 + 1_000);
  });

  it('takes the times of a venue that says so, the common ones else', () => {
    const config = load({ venues: { paper: { ...venue, recv_window_ms: 3_000 } } });
    expect(venueTimes(config, 'paper')).toMatchObject({ recvWindowMs: 3_000, sendWithinMs: 2_000 });
    expect(venueTimes(config, 'elsewhere')).toMatchObject({ recvWindowMs: 5_000 });
  });

  it('has a breaker of its own settings per job type, in ms', () => {
    const config = load({ retry: { circuit_breaker: { job_types: { 'order.place': { failure_ratio: 0.3 } } } } });
    expect(breakerSettings(config, { jobType: 'order.place' })).toMatchObject({
      failureRatio: 0.3,
      windowMs: 30_000,
      mode: 'enforce',
    });
    expect(breakerSettings(config, { jobType: 'order.cancel' })).toMatchObject({ failureRatio: 0.5 });
  });

  it('has no breaker where it is switched off, and one that only watches in observe', () => {
    expect(breakerSettings(load({ mode: 'off' }), { jobType: 'order.place' })).toBeUndefined();
    expect(
      breakerSettings(load({ retry: { circuit_breaker: { enabled: false } } }), { jobType: 'order.place' }),
    ).toBeUndefined();
    expect(breakerSettings(load({ mode: 'observe' }), { jobType: 'order.place' })).toMatchObject({ mode: 'observe' });
  });
});
