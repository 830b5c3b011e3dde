import { Command, InvalidArgumentError } from 'commander';
import { FillsafeClient } from '../client/client';
import { fingerprintOf } from '../domain/fingerprint';
import { isJobType, JOB_TYPES, type JobType } from '../domain/job-types';
import { isVenueRefused } from '../domain/lane';
import { checkRow, defaultVenue } from './check-row';
import { commandConfig } from './command-config';
import { EXIT, worst, type ExitCode } from './exit-codes';
import { exitCodeOf, inWords, type JobLine } from './job-line';
import { count, errorText, note, print, printJson } from './output';
import { Progress, type Tally } from './progress';
import { jobSource, type JobRow, type JobSource } from './read-jobs';
import { runJobs, type CheckedRow } from './run-jobs';
import { UsageError } from './usage-error';

interface SubmitOptions {
  input?: string;
  file?: string;
  venue?: string;
  wait?: boolean;
  timeout?: number;
  strict?: boolean;
  json?: boolean;
  config?: string;
}

/** Up to this many jobs are each told to people; of more only those that need attention. */
const TOLD_EACH = 20;

export function submitCommand(): Command {
  return new Command('submit')
    .description('starts one job or a file of jobs; the same intent is never started twice')
    .argument('<jobType>', `one of ${JOB_TYPES.join(', ')}`)
    .argument('[source]', '- reads stdin: JSON, one JSON object a line, or CSV with a header')
    .option('--input <json>', 'one job as JSON; amounts are strings: {"intentId":"t-1","quantity":"23",…}')
    .option('--file <file>', '.json (one or an array), .jsonl, or .csv whose header names the fields; - is stdin')
    .option('--venue <name>', 'for jobs that name none; default: the venue, where exactly one is configured')
    .option('--wait', 'wait for the end of each job, or until it waits for a person')
    .option('--timeout <seconds>', 'wait at most so long for each job; implies --wait', seconds)
    .option('--strict', 'check the whole input first and start nothing if anything is wrong')
    .option('--json', 'one line of JSON a job')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(submit);
}

async function submit(jobType: string, source: string | undefined, options: SubmitOptions): Promise<void> {
  if (!isJobType(jobType)) throw new UsageError(`jobType: "${jobType}" must be one of ${JOB_TYPES.join(', ')}`);
  if (source !== undefined && source !== '-')
    throw new UsageError(`"${source}": only - (stdin) can stand here; use --file`);
  const file = source ?? options.file;
  const { config } = commandConfig({ ...options, quiet: options.json === true });
  const venue = venueFor(config, options.venue);
  const jobs = jobSource({ input: options.input, file, jobType });
  const check = (row: JobRow) => checkRow(row, { config, jobType, venue });

  const batch = new Batch(jobs, options, process.stderr.isTTY ? await jobs.size() : undefined);
  if (options.strict) {
    const rows = await strictRows(jobs, jobType, check);
    if ('problems' in rows) {
      for (const line of rows.problems) await batch.tell(line);
      note(`nothing was started: ${count(rows.problems.length, 'problem')} in ${jobs.name}`);
      process.exitCode = EXIT.BAD_USAGE;
      return;
    }
    jobs.rows = rows.again;
  }
  // Bad input is told without Temporal, so it must not wait for a connection.
  let client: FillsafeClient | undefined;
  const checked = async function* (): AsyncGenerator<CheckedRow> {
    for await (const row of jobs.rows()) {
      batch.tally.read += 1;
      const result = check(row);
      if ('refused' in result) await batch.tell(result.refused, { before: true });
      else yield { line: row.line, input: result.input };
    }
  };
  const good = checked();
  try {
    const first = await good.next();
    if (!first.done) {
      client = await FillsafeClient.connect(config);
      await runJobs(chain(first.value, good), {
        client,
        jobType,
        wait: options.wait === true || options.timeout !== undefined,
        timeoutMs: options.timeout === undefined ? undefined : options.timeout * 1_000,
        onStarted: () => (batch.tally.started += 1),
        onLine: (line) => batch.tell(line),
      });
    }
  } catch (error) {
    batch.progress.end();
    if (batch.tally.started === 0) throw error;
    throw new Error(
      `stopped after ${count(batch.tally.started, 'job')}: ${errorText(error)}. ` +
        'Run the same command again: what was started is not started twice.',
      { cause: error },
    );
  } finally {
    await client?.close();
  }
  process.exitCode = await batch.end();
}

/** Counts, prints and judges the jobs of one command. */
class Batch {
  readonly tally: Tally = { read: 0, started: 0, done: 0, refused: 0, manual: 0 };
  readonly progress: Progress;
  private readonly codes = new Set<ExitCode>();
  private refusedBefore = 0;
  private told = 0;
  private running = 0;

  constructor(
    private readonly jobs: JobSource,
    private readonly options: SubmitOptions,
    size: number | undefined,
  ) {
    const waits = options.wait === true || options.timeout !== undefined;
    this.progress = new Progress(this.tally, size, { waits });
  }

  async tell(line: JobLine, { before = false } = {}): Promise<void> {
    const { status } = line;
    if (status === 'done' || status === 'refused' || status === 'manual') this.tally[status] += 1;
    if (status === 'running') this.running += 1;
    if (before) this.refusedBefore += 1;
    this.codes.add(before && line.category === 'INVALID' ? EXIT.FAILED : exitCodeOf(line));
    if (this.options.json) return printJson(line);
    const calm = status === 'done' || status === 'started';
    if (calm && ++this.told > TOLD_EACH) return;
    this.progress.clear();
    const place = this.jobs.name === '--input' ? '' : `${this.jobs.place} ${line.line}: `;
    await print(`${place}${line.intentId ?? '(no intentId)'} ${inWords(line)}`);
  }

  async end(): Promise<ExitCode> {
    this.progress.end();
    const { tally, running } = this;
    if (tally.read === 0) throw new UsageError(`${this.jobs.name}: there is no job in it`);
    if (!this.options.json && tally.read > 1) {
      const parts = [`${count(tally.read, 'job')}: ${tally.started} started or known`, `${tally.done} done`];
      parts.push(`${tally.refused} refused`);
      if (tally.manual > 0) parts.push(`${tally.manual} waiting for a person (fillsafe guard unknown)`);
      if (running > 0) parts.push(`${running} still running (fillsafe jobs --status running)`);
      await print(parts.join(', '));
    }
    // Input of which nothing could be used is bad usage; one bad row among good ones is a failed job.
    if (this.refusedBefore === tally.read && !this.codes.has(EXIT.HELD)) return EXIT.BAD_USAGE;
    return worst(this.codes);
  }
}

/** Checks everything before anything is started. What can be read once only is kept. */
async function strictRows(
  jobs: JobSource,
  jobType: JobType,
  check: (row: JobRow) => ReturnType<typeof checkRow>,
): Promise<{ problems: JobLine[] } | { again: () => AsyncIterable<JobRow> }> {
  const problems: JobLine[] = [];
  const kept: JobRow[] = [];
  const seen = new Map<string, { line: number; fingerprint: string }>();
  for await (const row of jobs.rows()) {
    if (!jobs.repeatable) kept.push(row);
    const result = check(row);
    if ('refused' in result) {
      problems.push(result.refused);
      continue;
    }
    const { intentId } = result.input;
    const fingerprint = fingerprintOf(result.input);
    const first = seen.get(intentId);
    if (!first) seen.set(intentId, { line: row.line, fingerprint });
    else if (first.fingerprint !== fingerprint) {
      const message = `intentId: "${intentId}" is used in ${jobs.place} ${first.line} with another payload`;
      problems.push({ intentId, workflowId: null, status: 'refused', category: 'CONFLICT', message, line: row.line });
    }
  }
  if (problems.length > 0) return { problems };
  const { rows } = jobs;
  return { again: jobs.repeatable ? () => rows.call(jobs) : () => toAsync(kept) };
}

async function* toAsync<T>(items: T[]): AsyncGenerator<T> {
  yield* items;
}

async function* chain<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

function venueFor(config: Parameters<typeof defaultVenue>[0], asked: string | undefined): string | undefined {
  try {
    return defaultVenue(config, asked);
  } catch (error) {
    if (isVenueRefused(error)) throw new UsageError(`--venue: ${error.message}`);
    throw error;
  }
}

function seconds(value: string): number {
  const parsed = Number(value);
  if (!Number.isFinite(parsed) || parsed < 0 || value.trim() === '')
    throw new InvalidArgumentError('must be a number of seconds, like 30');
  return parsed;
}
