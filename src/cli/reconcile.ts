import { Command } from 'commander';
import { FillsafeClient } from '../client/client';
import { isOff, reconcileVenue, type ReconcileReport } from '../client/reconcile';
import type { FillsafeConfig } from '../config/schema';
import { commandConfig } from './command-config';
import { EXIT } from './exit-codes';
import { count, note, print, printJson } from './output';
import { table } from './table';
import { UsageError } from './usage-error';

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description(
      "compares every intent with the venue's orders; exit 1 on a duplicate, a missing or an unexpected order",
    )
    .option('--venue <name>', 'default: every configured venue of this lane')
    .option('--json', 'one line of JSON')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(async (options: { venue?: string; json?: boolean; config?: string }) => {
      const { config } = commandConfig({ ...options, quiet: options.json === true });
      const venues = venuesOf(config, options.venue);
      const client = await FillsafeClient.connect(config);
      const reports: [string, ReconcileReport][] = [];
      try {
        for (const venue of venues) reports.push([venue, await reconcileVenue({ client, config, venue })]);
      } finally {
        await client.close();
      }
      const total = sum(reports.map(([, report]) => report));
      if (options.json) await printJson({ ...total, venues });
      else await tell(reports, total);
      if (!total.records)
        note('the records of the guard could not be read: doubts that only they know are not counted');
      process.exitCode = isOff(total) ? EXIT.FAILED : EXIT.DONE;
    });
}

/** The asked venue, or all that jobs of this lane may reach. */
export function venuesOf(config: FillsafeConfig, asked: string | undefined): string[] {
  const names = Object.keys(config.venues);
  if (asked !== undefined) {
    if (names.includes(asked)) return [asked];
    throw new UsageError(`--venue: "${asked}" is not configured; configured are: ${names.join(', ') || 'none'}`);
  }
  const venues = laneVenues(config);
  if (venues.length === 0) throw new UsageError(`venues: none of the lane ${config.lane} is configured`);
  return venues;
}

/** Every configured venue that jobs of this lane may reach. */
export function laneVenues({ lane, venues }: FillsafeConfig): string[] {
  return Object.keys(venues).filter((name) => (venues[name]?.lane ?? lane) === lane);
}

const NUMBERS = [
  'intents',
  'executions',
  'duplicates',
  'missing',
  'unexpected',
  'mismatched',
  'unknown',
  'unmatched',
] as const;

function sum(reports: ReconcileReport[]): ReconcileReport {
  const total = Object.fromEntries(
    NUMBERS.map((name) => [name, reports.reduce((so, report) => so + report[name], 0)]),
  ) as Record<(typeof NUMBERS)[number], number>;
  return { ...total, records: reports.every(({ records }) => records), rows: reports.flatMap(({ rows }) => rows) };
}

async function tell(reports: [string, ReconcileReport][], total: ReconcileReport): Promise<void> {
  await print(
    table(
      ['venue', ...NUMBERS],
      reports.map(([venue, report]) => [venue, ...NUMBERS.map((name) => String(report[name]))]),
    ),
  );
  if (total.rows.length > 0) {
    await print('');
    const rows = total.rows.map(({ kind, venue, intentId, symbol, what }) => [kind, venue, intentId, symbol, what]);
    await print(table(['problem', 'venue', 'intent', 'symbol', 'what'], rows));
  }
  await print('');
  if (isOff(total)) await print('NOT in agreement: see above. `fillsafe job <intent>` tells the story of each.');
  else
    await print(
      `In agreement: ${count(total.intents, 'intent')}, ${count(total.executions, 'order')}, none twice, none missing` +
        (total.unknown > 0 ? `; ${total.unknown} not decided yet` : ''),
    );
}
