/** Whether this is `npm run test:chaos`, which has the time for ten times as much. */
export const LONG = process.env['FILLSAFE_TEST_LONG'] === '1';

/** A number of runs for `npm test`, or ten times as many. */
export function longer(runs: number): number {
  return LONG ? runs * 10 : runs;
}
