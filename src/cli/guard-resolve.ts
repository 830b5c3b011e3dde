import { WorkflowUpdateFailedError } from '@temporalio/client';
import pino from 'pino';
import { createEffects, decide, type KnownAct } from '../../activities';
import { FillsafeClient } from '../client/client';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import type { JobStatus, Resolution } from '../domain/job-plan';
import { isJobType } from '../domain/job-types';
import { isInvalidInput } from '../domain/order.schema';
import type { IntentRef } from '../guard/keys';
import type { GuardRecord } from '../guard/record';
import { createVenues } from '../venues/create-venues';
import type { VenuePort } from '../venues/port';
import { EXIT } from './exit-codes';
import { findRecord, guardedJobType } from './guard';
import { theJob, type DecidedJob } from './guard-job';
import { checkedResult, jsonObject } from './guard-result';
import { errorText, print, printJson } from './output';
import { UsageError } from './usage-error';

export interface ResolveOptions {
  decision: Resolution['decision'];
  reason: string;
  actor: string;
  orderId?: string;
  /** JSON. */
  result?: string;
  /** JSON. */
  input?: string;
  confirm?: string;
  type: string;
  venue?: string;
  json?: boolean;
}

/** What a decision led to. */
interface Decided {
  via: 'workflow' | 'store';
  /** What happens next, in words. */
  next: string;
}

/** An update needs a worker; without one it would wait for ever. */
const UPDATE_LIMIT_MS = 30_000;

/** Decides an intent through its job where one runs, else in the record itself. Prints what was decided and what comes next. */
export async function resolveIntent(config: FillsafeConfig, intentId: string, options: ResolveOptions): Promise<void> {
  const jobType = guardedJobType(options.type);
  const { decision, actor } = options;
  const reason = options.reason.trim();
  if (reason === '') throw new UsageError('--reason: empty; the reason is kept in the audit');
  const { confirm } = options;
  const resolution: Resolution = {
    ...{ decision, reason, actor },
    ...checkedResult(jobType, options),
    ...(confirm && { confirm }),
  };
  const client = await FillsafeClient.connect(config);
  try {
    const about = { jobType, intentId, venue: options.venue };
    const job = await theJob(client, config, about);
    const input = options.input === undefined ? job?.input : jsonObject('--input', options.input);
    const decided = job?.isRunning
      ? await throughJob(client, job, about, resolution)
      : await inStore(config, { ...about, input }, resolution);
    if (options.json) await printJson({ intentId, jobType, ...resolution, ...decided });
    else
      await print(
        `${intentId}: ${actor} decided "${decision}" (${reason}), kept in the audit\n  next: ${decided.next}`,
      );
  } catch (error) {
    if (!(error instanceof RefusedDecision)) throw error;
    process.stderr.write(`fillsafe: ${error.message}\n`);
    process.exitCode = EXIT.HELD;
  } finally {
    await client.close();
  }
}

/** The job or the record does not take the decision. */
class RefusedDecision extends Error {
  override readonly name = 'RefusedDecision';
}

async function throughJob(
  client: FillsafeClient,
  { workflowId, runId }: DecidedJob,
  { jobType, intentId }: { jobType: string; intentId: string },
  resolution: Resolution,
): Promise<Decided> {
  const { connection, workflow } = client.temporal;
  const handle = workflow.getHandle(workflowId, runId);
  // Somebody's own workflow may have several intents that wait.
  const args: [Resolution] = [{ ...resolution, intentId, jobType }];
  try {
    await connection.withDeadline(Date.now() + UPDATE_LIMIT_MS, () =>
      handle.executeUpdate<JobStatus, [Resolution]>('resolve', { args }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      throw new RefusedDecision(`${intentId}: not taken: ${errorText(error.cause ?? error)}`);
    throw new Error(
      `${intentId}: its job did not answer within ${UPDATE_LIMIT_MS / 1_000} s (${errorText(error)}): does a worker run? ` +
        'The decision may still be taken: see `fillsafe job` before giving it again.',
      { cause: error },
    );
  }
  const order = isJobType(jobType);
  const next = {
    done: `the job goes on as done, with ${order ? "the venue's own order" : 'that'} as its result`,
    absent: order
      ? 'the job goes on by its policy: an order that can rest is sent again, one that fills at once ends as NOT_EXECUTED'
      : 'the job goes on by its policy: it is sent again, or ends as NOT_EXECUTED',
    rejected: 'the job ends as refused, RESOLVED_REJECTED',
  }[resolution.decision];
  return { via: 'workflow', next };
}

/** Where no job runs for the intent: the record itself takes the decision. */
async function inStore(
  config: FillsafeConfig,
  about: { jobType: string; intentId: string; input: object | undefined; venue: string | undefined },
  resolution: Resolution,
): Promise<Decided> {
  const store = await openGuard(config);
  try {
    const { ref, record } = await findRecord(config, store, about);
    const act = about.input && knownAct(config, ref, record, about.input);
    const decided = await decide(store.guard, ref, act, resolution);
    if (decided.kind === 'late')
      throw new RefusedDecision(
        `${about.intentId}: not taken: its record is ${decided.state}; only a MANUAL one waits for a person`,
      );
    const next = {
      done: `no job runs for it; every later submit gets ${isJobType(ref.jobType) ? "the venue's own order" : 'that'} as its result`,
      absent: 'no job runs for it; a later submit of the intent may act',
      rejected: 'no job runs for it; every later submit is refused, RESOLVED_REJECTED',
    }[decided.kind];
    return { via: 'store', next };
  } catch (error) {
    if (!isInvalidInput(error)) throw error;
    throw new RefusedDecision(`${about.intentId}: ${error.problems.join('; ')}`);
  } finally {
    store.close();
  }
}

/** The act of a record, by what its job was given; refuses what belongs to another intent. */
function knownAct(config: FillsafeConfig, ref: IntentRef, record: GuardRecord, input: object): KnownAct | undefined {
  const venues = createVenues(config);
  const venue = (name: string): VenuePort => {
    const known = venues.get(name);
    if (!known) throw new UsageError(`--venue: "${name}" is not configured`);
    return known;
  };
  const effect = createEffects(config, venue, pino({ enabled: false }), []).ofJobType(ref.jobType);
  if (!effect) return undefined;
  const job = effect.read(input);
  const version = (fingerprint: string): string => fingerprint.split(':')[0] ?? '';
  const comparable = version(job.fingerprint) === version(record.fingerprint);
  if (job.ref.intentId !== ref.intentId || (comparable && job.fingerprint !== record.fingerprint))
    throw new UsageError(`--input: is not what intent "${ref.intentId}" was submitted with`);
  return { effect, input: job.input };
}
