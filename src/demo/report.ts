/** The proof that a demo ends with: the last line of `demo --json`. */
export interface DemoReport {
  jobs: { submitted: number; done: number; refused: number; manual: number };
  venue: { orders: number; executions: number; duplicates: number };
  guard: { replays: number; unknownResolved: number };
  breaker: { opened: number; attemptsBurntWhileOpen: number };
  reconcile: { duplicates: number; missing: number };
}

/** What is off, in words; empty when the day went as it must. */
export function problemsOf(report: DemoReport, expected: { done: number; refused: number }): string[] {
  const checks: [boolean, string][] = [
    [report.venue.duplicates === 0, `${report.venue.duplicates} orders were executed twice`],
    [report.jobs.done === expected.done, `${report.jobs.done} jobs are done, ${expected.done} should be`],
    [
      report.jobs.refused === expected.refused,
      `${report.jobs.refused} jobs were refused, ${expected.refused} should be`,
    ],
    [report.jobs.manual === 0, `${report.jobs.manual} jobs wait for a person`],
    [
      report.venue.executions === expected.done,
      `the venue took ${report.venue.executions} orders, ${expected.done} were meant`,
    ],
    [report.guard.unknownResolved > 0, 'no lost answer was resolved: the faults did not strike'],
    [report.guard.replays > 0, 'the doubled submit was not answered by a replay'],
    [report.breaker.opened > 0, 'the breaker did not open while the venue failed for everyone'],
    [
      report.breaker.attemptsBurntWhileOpen === 0,
      `${report.breaker.attemptsBurntWhileOpen} orders reached the venue while the breaker was open`,
    ],
    [report.reconcile.duplicates === 0, `reconcile found ${report.reconcile.duplicates} duplicates`],
    [report.reconcile.missing === 0, `reconcile found ${report.reconcile.missing} missing orders`],
  ];
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem);
}

/** The proof as a table for people. */
export function proofTable(report: DemoReport, seconds: number): string {
  const rows: [string, string][] = [
    ['jobs submitted', String(report.jobs.submitted)],
    ['  done', String(report.jobs.done)],
    ['  refused by the venue', String(report.jobs.refused)],
    ['  waiting for a person', String(report.jobs.manual)],
    ['orders that the venue took', String(report.venue.executions)],
    ['  of them twice', String(report.venue.duplicates)],
    ['lost answers found out', String(report.guard.unknownResolved)],
    ['repeats answered from the record', String(report.guard.replays)],
    ['breaker opened', String(report.breaker.opened)],
    ['  orders sent while it was open', String(report.breaker.attemptsBurntWhileOpen)],
    ['reconcile: duplicates, missing', `${report.reconcile.duplicates}, ${report.reconcile.missing}`],
    ['seconds', seconds.toFixed(1)],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(36)}${value.padStart(8)}`).join('\n');
}
