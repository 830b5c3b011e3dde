import { packBreakerSettings } from '../../../src/breaker/settings';

it('the settings of a breaker reach the scripts in the order in which they read them', () => {
  const settings = {
    ...{ windowMs: 1, minimumCalls: 2, failureRatio: 0.3, openMs: 4, maximumOpenMs: 5, permits: 6, permitMs: 7 },
    ...{ successesToClose: 8, reopenPerSecond: 9.5, mode: 'enforce' as const },
  };
  expect(packBreakerSettings(settings)).toBe('1,2,0.3,4,5,6,7,8,9.5,enforce');
});
