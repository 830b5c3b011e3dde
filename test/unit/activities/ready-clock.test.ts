import pino from 'pino';
import { createEffects } from '../../../activities/create-activities';
import { loadConfig } from '../../../src/config/load';
import type { VenuePort } from '../../../src/venues/port';

const paper = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
const config = loadConfig({ env: {}, flags: { venues: { paper } } });

/** The clock of a venue whose measurements end when the test says so. */
function clockUnderTest() {
  let errorMs = Infinity;
  const pending: { done(errorMs: number): void; fail(): void }[] = [];
  const venue = {
    clock: () => ({ nowMs: 0, errorMs }),
    syncClock: () =>
      new Promise<void>((resolve, reject) => {
        const done = (known: number): void => {
          errorMs = known;
          resolve();
        };
        pending.push({ done, fail: () => reject(new Error('no answer')) });
      }),
  };
  const effects = createEffects(config, () => venue as unknown as VenuePort, pino({ enabled: false }), []);
  const ready = (again = false) => effects.ofJobType('order.place')!.readyClock('paper', { again });
  return { ready, pending };
}

test('acts that need the clock at the same moment share one measurement', async () => {
  const { ready, pending } = clockUnderTest();
  const crowd = Promise.all(Array.from({ length: 50 }, () => ready()));
  expect(pending).toHaveLength(1);
  pending[0]?.done(3);
  await crowd;
  await ready();
  expect(pending).toHaveLength(1);
});

test('a measurement that failed is not kept, and a refused timestamp makes a new one', async () => {
  const { ready, pending } = clockUnderTest();
  const first = ready();
  pending[0]?.fail();
  await expect(first).rejects.toThrow('no answer');
  const second = ready();
  pending[1]?.done(3);
  await second;
  const again = ready(true);
  expect(pending).toHaveLength(3);
  pending[2]?.done(2_000);
  await expect(again).rejects.toThrow('clock_error_ms allows');
});
