import { WorkflowNotFoundError } from '@temporalio/client';
import { Command } from 'commander';
import { ALL, parseScope, scopeOf, VENUE_LEVEL } from '../breaker/scope';
import { FillsafeClient } from '../client/client';
import { inspectJob, type JobStory, type StoryActivity } from '../client/inspect';
import { temporalSettings } from '../client/temporal';
import type { FillsafeConfig } from '../config/schema';
import { isJobType, JOB_TYPES, workflowIdOf, type JobType } from '../domain/job-types';
import { findStack } from '../dev/stack-file';
import { commandConfig } from './command-config';
import { inWords, type JobLine } from './job-line';
import { ago, clockTime, count, duration, print, printJson } from './output';
import { readBreakers } from './read-breakers';
import { recordFacts } from './record-words';
import { facts } from './table';
import { UsageError } from './usage-error';

export function jobCommand(): Command {
  return new Command('job')
    .description('tells what happened to one job: attempts, failures, outcome, where to look')
    .argument('<intentId>', "the caller's name for the decision")
    .option('--type <jobType>', `one of ${JOB_TYPES.join(', ')}`, 'order.place')
    .option('--json', 'one line of JSON, with attempts[] and record')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(async (intentId: string, options: { type: string; json?: boolean; config?: string }) => {
      const jobType = checkedJobType(options.type);
      const { config } = commandConfig({ ...options, quiet: options.json === true });
      const client = await FillsafeClient.connect(config);
      try {
        const story = await inspectJob(client, config, { jobType, intentId }).catch((error: unknown) => {
          throw error instanceof WorkflowNotFoundError ? noSuchJob(intentId, jobType) : error;
        });
        if (options.json) {
          await printJson({
            ...lineOf(story, intentId),
            attempts: story.activities.map(attemptJson),
            record: story.record ?? null,
          });
          return;
        }
        await print(inParagraphs(story, { link: pageOf(story, config), holder: await holderOf(story, config) }));
      } finally {
        await client.close();
      }
    });
}

/** The job's page in the UI of the `fillsafe dev` that it lives in. The UI of another Temporal is not known. */
function pageOf({ workflowId }: JobStory, config: FillsafeConfig): string | undefined {
  const { address, namespace } = temporalSettings(config);
  const ui = findStack({ env: { TEMPORAL_ADDRESS: address } })?.ui;
  return ui ? `${ui}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}` : undefined;
}

export function checkedJobType(value: string): JobType {
  if (isJobType(value)) return value;
  throw new UsageError(`--type: "${value}" must be one of ${JOB_TYPES.join(', ')}`);
}

function noSuchJob(intentId: string, jobType: JobType): Error {
  return new Error(
    `there is no ${jobType} job of intent "${intentId}" (workflow ${workflowIdOf(jobType, intentId)}): it was never started, ` +
      'or its history is past the retention. `fillsafe jobs` lists what is there, `fillsafe guard show` asks the guard.',
  );
}

export function lineOf({ workflowId, state }: Pick<JobStory, 'workflowId' | 'state'>, intentId: string): JobLine {
  const about = { intentId, workflowId };
  switch (state.status) {
    case 'manual':
      return { ...about, status: 'manual', message: state.evidence };
    case 'cut off':
      return { ...about, status: 'manual', category: state.how, message: 'the workflow was ended from outside' };
    default:
      return { ...about, ...state };
  }
}

function attemptJson(activity: StoryActivity): object {
  const time = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
  const { activityType, activityId, attempts, state, failure, scheduledAt, startedAt, endedAt, nextAttemptAt } =
    activity;
  return {
    activityType,
    activityId,
    attempts,
    state: activity.running ? 'running' : state,
    lastFailure: failure ?? null,
    scheduledAt: time(scheduledAt),
    startedAt: time(startedAt),
    endedAt: time(endedAt),
    nextAttemptAt: time(nextAttemptAt),
  };
}

/** The breaker that keeps a job in its queue, in words, where it waits for a worker. */
async function holderOf({ activities, input, jobType }: JobStory, config: FillsafeConfig): Promise<string | undefined> {
  const { venue } = input;
  if (!activities.some(isQueued) || typeof venue !== 'string' || jobType === undefined) return undefined;
  const scopes = [ALL, scopeOf(venue, VENUE_LEVEL), scopeOf(venue, jobType)].map(parseScope);
  const holder = (await readBreakers(config, scopes).catch(() => [])).find(({ held }) => held);
  return holder && `held by breaker ${holder.scope}: ${holder.why}; it ${holder.next}`;
}

/** Whether it waits where a breaker may keep it: look-ups and decisions have queues that none shuts. */
function isQueued({ activityType, state, running, nextAttemptAt }: StoryActivity): boolean {
  if (activityType === 'lookUp' || activityType === 'resolveIntent') return false;
  return state === 'waiting' && running !== true && nextAttemptAt === undefined;
}

function inParagraphs(
  story: JobStory,
  { link, holder }: { link: string | undefined; holder: string | undefined },
): string {
  const { startedAt, endedAt, workflowId, runId, record, state } = story;
  const intentId = String(story.input['intentId'] ?? workflowId);
  const line = lineOf(story, intentId);
  const ended = endedAt === undefined ? '' : `, took ${took(endedAt - startedAt)}`;
  const parts = [
    `${intentId}: ${story.summary ?? story.jobType ?? ''}`,
    `  ${inWords(line)}`,
    '',
    `What happened (started ${clockTime(startedAt)}, ${ago(startedAt)}${ended})`,
    ...story.activities.map((activity) => `  ${activityInWords(activity, startedAt, holder)}`),
  ];
  if (story.activities.length === 0) parts.push('  nothing was tried');
  if (state.status === 'manual')
    parts.push('', 'To decide: fillsafe guard resolve ' + `${intentId} --decision done|absent|rejected --reason …`);
  parts.push(
    '',
    'Where to look',
    facts([['workflow', workflowId], ['run', runId], ...(link ? [['UI', link] as const] : [])]),
  );
  parts.push('', 'Record of the guard');
  if (record) parts.push(facts(recordFacts(record, Date.now())));
  else parts.push(record === null ? '  none: never acted, or it has expired' : '  Redis could not be asked');
  return parts.join('\n');
}

function activityInWords(activity: StoryActivity, startedAt: number, holder: string | undefined): string {
  const { activityType, attempts, state, failure, nextAttemptAt, scheduledAt } = activity;
  const at = `+${took(scheduledAt - startedAt)}`.padEnd(9);
  const names: Record<string, string> = { lookUp: 'asked the venue', resolveIntent: "took a person's decision" };
  const what = names[activityType] ?? activityType;
  const lost = failure ? `${failure.type}: ${failure.message}` : '';
  const tries = activityType === 'lookUp' ? count(attempts, 'look') : count(attempts, 'attempt');
  if (state === 'done') return `${at} ${what}, ${tries}, done${lost ? ` (before that ${lost})` : ''}`;
  if (state !== 'waiting') return `${at} ${what}, ${tries}, ${state}${lost ? `: ${lost}` : ''}`;
  const now =
    nextAttemptAt !== undefined
      ? `next in ${duration(nextAttemptAt - Date.now())}`
      : activity.running
        ? 'running now'
        : `waiting in its queue, ${(isQueued(activity) && holder) || 'as no worker takes it: does one run?'}`;
  return `${at} ${what}, ${tries}, ${now}${lost ? `; last ${lost}` : ''}`;
}

/** Short times with milliseconds, longer ones in words. */
function took(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1_000).toFixed(3)} s` : duration(ms);
}
