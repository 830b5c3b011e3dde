import { Command, Option } from 'commander';
import type { FillsafeConfig } from '../config/schema';
import { BOOKS, isJobType, isWellFormedJobType, JOB_TYPES, JOB_TYPE_RULE } from '../domain/job-types';
import type { GuardRecord } from '../guard/record';
import type { IntentRef } from '../guard/keys';
import { openGuard, type OpenGuard } from '../client/open-guard';
import { commandConfig } from './command-config';
import { resolveIntent, type ResolveOptions } from './guard-resolve';
import { trustStore } from './guard-trust';
import { ago, count, print, printJson } from './output';
import { evidenceOf, lookLine, looksOf, nextOf, recordFacts, stateInWords } from './record-words';
import { laneVenues, venuesOf } from './reconcile';
import { facts, table } from './table';
import { UsageError } from './usage-error';
import { whoami } from './whoami';

interface GuardOptions {
  type: string;
  venue?: string;
  json?: boolean;
  config?: string;
}

const CONFIG = [
  '--config <file>',
  'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev',
] as const;
const VENUE = ['--venue <name>', `or ${BOOKS}; default: every configured venue of this lane, and ${BOOKS}`] as const;
const TYPE = ['--type <jobType>', `one of ${JOB_TYPES.join(', ')}, or one that you defined`, 'order.place'] as const;

export function guardCommand(): Command {
  const command = new Command('guard').description(
    "the guard's records: what is known of each intent, and what is not",
  );
  command
    .command('show')
    .description('tells the record of one intent')
    .argument('<intentId>')
    .option(...TYPE)
    .option(...VENUE)
    .option('--json', 'one line of JSON')
    .option(...CONFIG)
    .action(show);
  command
    .command('unknown')
    .description('lists every intent of which nobody knows yet whether it happened')
    .option(...VENUE)
    .option('--json', 'one line of JSON an intent')
    .option(...CONFIG)
    .action(unknown);
  command
    .command('resolve')
    .description('decides an intent that only a person can decide; the decision is kept in the audit')
    .argument('<intentId>')
    .addOption(
      new Option('--decision <decision>', 'done: it happened · absent: it did not · rejected: end it as refused')
        .choices(['done', 'absent', 'rejected'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('--actor <name>', 'who decides', whoami())
    .option('--order-id <id>', "the venue's order id; needed for an order that is done")
    .option('--result <json>', 'what any other act that is done has answered; a look-up may find it too')
    .option('--confirm <code>', 'the code of a refusal: decides although the venue shows otherwise or cannot tell')
    .option('--input <json>', 'what the job was submitted with; only where the job is gone from Temporal')
    .option(...TYPE)
    .option(...VENUE)
    .option('--json', 'one line of JSON')
    .option(...CONFIG)
    .action((intentId: string, options: ResolveOptions & { config?: string }) => {
      const { config } = commandConfig({ ...options, quiet: options.json === true });
      return resolveIntent(config, intentId, options);
    });
  command
    .command('trust')
    .description('vouches for what Redis holds of a venue: its acts leave again without being looked up first')
    .argument('<venue>')
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('--actor <name>', 'who vouches', whoami())
    .option('--json', 'one line of JSON')
    .option(...CONFIG)
    .action((venue: string, options: { reason: string; actor: string; json?: boolean; config?: string }) => {
      const { config } = commandConfig({ ...options, quiet: options.json === true });
      return trustStore(config, venue, options);
    });
  return command;
}

async function show(intentId: string, options: GuardOptions): Promise<void> {
  const jobType = guardedJobType(options.type);
  const { config } = commandConfig({ ...options, quiet: options.json === true });
  const store = await openGuard(config);
  try {
    const { ref, record } = await findRecord(config, store, { jobType, intentId, venue: options.venue });
    const nowMs = await store.guard.now();
    if (options.json) await printJson({ ...ref, ...record, next: nextOf(record, nowMs) });
    else await print(`${intentId}, ${jobType} at ${ref.venue}\n${facts(recordFacts(record, nowMs))}`);
  } finally {
    store.close();
  }
}

/** A job type that records may have. Those that people define are not known here. */
export function guardedJobType(value: string): string {
  if (isWellFormedJobType(value)) return value;
  throw new UsageError(`--type: "${value}" ${JOB_TYPE_RULE}`);
}

/** Where records may be: the asked venue, or all that jobs of this lane may reach; what people define may concern none of them. */
function placesOf(config: FillsafeConfig, asked: string | undefined, jobType?: string): string[] {
  if (asked === BOOKS) return [BOOKS];
  if (asked !== undefined || (jobType !== undefined && isJobType(jobType))) return venuesOf(config, asked);
  return [...laneVenues(config), BOOKS];
}

/** The record of an intent at any of the venues. Throws an error that says what no record means. */
export async function findRecord(
  config: FillsafeConfig,
  store: OpenGuard,
  { jobType, intentId, venue: asked }: { jobType: string; intentId: string; venue?: string | undefined },
): Promise<{ ref: IntentRef; record: GuardRecord }> {
  const venues = placesOf(config, asked, jobType);
  for (const venue of venues) {
    const ref = { venue, jobType, intentId };
    const record = await store.guard.record(ref);
    if (record) return { ref, record };
  }
  const hours = Math.round(config.retry.redis.ttl_seconds / 3_600);
  throw new Error(
    `the guard has no ${jobType} record of intent "${intentId}" at ${venues.join(', ')}: it never acted, or it was settled ` +
      `more than ${hours} h ago. \`fillsafe job ${intentId}\` asks Temporal.`,
  );
}

async function unknown(options: GuardOptions): Promise<void> {
  const { config } = commandConfig({ ...options, quiet: options.json === true });
  const store = await openGuard(config);
  try {
    const nowMs = await store.guard.now();
    const rows: string[][] = [];
    const shown: string[] = [];
    let forPerson = 0;
    for (const venue of placesOf(config, options.venue)) {
      for (const { ref, record } of await store.guard.unresolved(venue)) {
        const next = nextOf(record, nowMs);
        if (record.state === 'MANUAL') forPerson += 1;
        if (options.json) await printJson({ ...ref, ...record, next });
        const what = [ref.intentId, ref.jobType, venue, stateInWords(record.state), ago(record.createdAt, nowMs)];
        rows.push([...what, evidenceOf(record) ?? '', next]);
        if (record.state === 'MANUAL') shown.push(...looksOf(record).map((look) => lookLine(ref.intentId, look)));
      }
    }
    if (options.json) return;
    if (rows.length === 0) return await print('no open question: the outcome of every act is known');
    await print(table(['intent', 'job type', 'venue', 'state', 'first seen', 'evidence', 'next'], rows));
    if (shown.length > 0) await print(`\nWhat the venue showed\n${shown.join('\n')}`);
    await print(`\n${count(rows.length, 'open question')}, of which ${forPerson} for a person`);
  } finally {
    store.close();
  }
}
