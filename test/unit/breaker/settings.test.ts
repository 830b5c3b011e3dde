import { packBreakerSettings } from '../../../src/breaker/settings';

it('the settings of a breaker reach the scripts in the order in which they read them', () => {
  const settings = {
    ...{ windowMs: 1, minimumCalls: 2, failureRatio: 0.3, slowMs: 4, slowRatio: 0.5, failuresInRow: 6, quorum: 7 },
    ...{ openMs: 8, maximumOpenMs: 9, permits: 10, permitMs: 11, rampMs: 13 },
    ...{ successesToClose: 12, reopenPerSecond: 14.5, mode: 'enforce' as const },
  };
  expect(packBreakerSettings(settings)).toBe('1,2,0.3,4,0.5,6,7,8,9,10,11,12,13,14.5,enforce');
});
