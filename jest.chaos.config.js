'use strict';

// Suites of which `npm test` runs a part, at full length: ten times the histories, and a cut at every point of a job.
process.env.FILLSAFE_TEST_LONG = '1';

module.exports = {
  ...require('./jest.config.js'),
  testMatch: ['**/{property,chaos}/**/*.test.ts', '**/integration/guard-*.test.ts'],
};
