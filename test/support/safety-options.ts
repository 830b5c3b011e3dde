import type { CheckOptions } from '../../src/redis/safety';

/** What a check expects where a test does not say otherwise. */
export const plainExpectations: CheckOptions = {
  acknowledged: {},
  memoryBudgetBytes: 100 * 2 ** 20,
  waitFor: 0,
  clocks: [],
};
