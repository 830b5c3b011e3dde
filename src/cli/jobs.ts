import { isGrpcServiceError, type WorkflowExecutionInfo } from '@temporalio/client';
import { Command, InvalidArgumentError, Option } from 'commander';
import { FillsafeClient } from '../client/client';
import { readJobHistory, type JobHistory } from '../client/job-history';
import { forEachOf, jobsQuery, listJobs } from '../client/job-list';
import { JOB_TYPES, JOBS, type JobType } from '../domain/job-types';
import { describeCancel, describeOrder } from '../domain/order';
import { parseCancelOrder, parsePlaceOrder } from '../domain/order.schema';
import { commandConfig } from './command-config';
import { lineOf } from './job';
import { inWords } from './job-line';
import { ago, print, printJson } from './output';
import { table } from './table';
import { UsageError } from './usage-error';

interface JobsOptions {
  limit: number;
  status?: keyof typeof STATUSES;
  query?: string;
  json?: boolean;
  config?: string;
}

const STATUSES = {
  running: "ExecutionStatus = 'Running'",
  manual: "ExecutionStatus = 'Running'",
  done: "ExecutionStatus = 'Completed'",
  refused: "ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut')",
};
const GRPC_INVALID_ARGUMENT = 3;
/** Running jobs are read so many at most to find those that wait for a person. */
const MOST_READ = 2_000;

export function jobsCommand(): Command {
  return new Command('jobs')
    .description('lists recent jobs, the newest first')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .addOption(new Option('--status <status>', 'only jobs that stand so').choices(Object.keys(STATUSES)))
    .option('--query <query>', "further condition for Temporal's visibility, like \"FillsafeSymbol = 'XRPETH'\"")
    .option('--json', 'one line of JSON a job')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(jobs);
}

async function jobs(options: JobsOptions): Promise<void> {
  const { config } = commandConfig({ ...options, quiet: options.json === true });
  const client = await FillsafeClient.connect(config);
  try {
    const found = await find(client, options);
    if (options.json) {
      for (const job of found) await printJson(jobJson(job));
      return;
    }
    if (found.length === 0) {
      await print(options.status || options.query ? 'no such job' : 'no job yet: fillsafe submit starts one');
      return;
    }
    const rows = found.map((job) => [
      intentOf(job),
      summaryOf(job),
      inWords(lineOf(job, '')),
      since(job),
      attemptsOf(job),
    ]);
    await print(table(['intent', 'what', 'status', 'since', 'attempts'], rows));
  } finally {
    await client.close();
  }
}

async function find(client: FillsafeClient, { limit, status, query }: JobsOptions): Promise<JobHistory[]> {
  const conditions = [status && STATUSES[status], query && `(${query})`].filter((each) => each !== undefined);
  const infos: WorkflowExecutionInfo[] = [];
  const found = new Map<string, JobHistory>();
  try {
    const also = conditions.length > 0 ? { also: conditions.join(' AND ') } : {};
    // Only the history tells for sure whether a running job waits for a person.
    const most = status === 'manual' || status === 'running' ? MOST_READ : limit;
    for await (const info of listJobs(client.temporal, jobsQuery(also))) {
      if (infos.push(info) >= most) break;
    }
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const told = isGrpcServiceError(error) ? error : isGrpcServiceError(cause) ? cause : undefined;
    if (query !== undefined && told && Number(told.code) === GRPC_INVALID_ARGUMENT)
      throw new UsageError(`--query: ${told.details}`);
    throw error;
  }
  const wanted = (job: JobHistory): boolean => status === undefined || standsAs(status, job);
  // The list may be a moment old: the history says how the job stands now.
  await forEachOf(
    (function* () {
      for (const info of infos) {
        if (found.size >= limit) return;
        yield info;
      }
    })(),
    async ({ workflowId, runId }) => {
      const job = await readJobHistory(client.temporal, workflowId, runId);
      if (wanted(job)) found.set(`${workflowId} ${runId}`, job);
    },
  );
  return infos.flatMap(({ workflowId, runId }) => found.get(`${workflowId} ${runId}`) ?? []).slice(0, limit);
}

function standsAs(status: keyof typeof STATUSES, { state }: JobHistory): boolean {
  return status === state.status || (status === 'manual' && state.status === 'cut off');
}

function jobJson(job: JobHistory): object {
  const { startedAt, endedAt, jobType } = job;
  return {
    ...lineOf(job, intentOf(job)),
    jobType: jobType ?? null,
    what: summaryOf(job),
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
    attempts: Number(attemptsOf(job)),
  };
}

function intentOf({ input, workflowId }: JobHistory): string {
  return typeof input['intentId'] === 'string' ? input['intentId'] : workflowId;
}

function summaryOf({ jobType, input }: JobHistory): string {
  try {
    return jobType === 'order.cancel' ? describeCancel(parseCancelOrder(input)) : describeOrder(parsePlaceOrder(input));
  } catch {
    return 'not a valid input';
  }
}

/** When the present status began, as far as the history says. */
function since({ endedAt, startedAt, activities }: JobHistory): string {
  return ago(endedAt ?? activities.at(-1)?.scheduledAt ?? startedAt);
}

/** Attempts of the act itself, not of look-ups. */
function attemptsOf({ activities }: JobHistory): string {
  const acts: string[] = JOB_TYPES.map((jobType: JobType) => JOBS[jobType].activity);
  const own = activities.filter(({ activityType }) => acts.includes(activityType));
  return String(own.reduce((sum, { attempts }) => sum + attempts, 0));
}

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('must be a whole number from 1 to 999999');
  return Number(value);
}
