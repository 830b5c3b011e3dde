import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { FillsafeClient } from '../client/client';
import { readJobHistory } from '../client/job-history';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import type { Resolution } from '../domain/job-plan';
import { workflowIdOf, type JobType } from '../domain/job-types';
import type { OrderState } from '../domain/order';
import { serialiseResult } from '../guard/serialise';
import { createVenues } from '../venues/create-venues';
import { orderStateOf } from '../venues/port';
import { EXIT } from './exit-codes';
import { findRecord } from './guard';
import { checkedJobType } from './job';
import { duration, errorText, print, printJson } from './output';
import { UsageError } from './usage-error';

export interface ResolveOptions {
  decision: Resolution['decision'];
  reason: string;
  actor: string;
  orderId?: string;
  symbol?: string;
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
  const jobType = checkedJobType(options.type);
  const { decision, actor, orderId } = options;
  const reason = options.reason.trim();
  if (reason === '') throw new UsageError('--reason: empty; the reason is kept in the audit');
  if (decision === 'done' && !/^\d{1,20}$/.test(orderId ?? ''))
    throw new UsageError("--order-id: the venue's order id, a string of digits, is needed for --decision done");
  const resolution: Resolution = { decision, reason, actor, ...(orderId === undefined ? {} : { orderId }) };
  const client = await FillsafeClient.connect(config);
  try {
    const job = await readJobHistory(client.temporal, workflowIdOf(jobType, intentId)).catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
    const isRunning = job?.state.status === 'running' || job?.state.status === 'manual';
    const symbol = options.symbol ?? (typeof job?.input['symbol'] === 'string' ? job.input['symbol'] : undefined);
    const decided = isRunning
      ? await throughJob(client, jobType, intentId, resolution)
      : await inStore(config, { jobType, intentId, symbol, venue: options.venue }, resolution);
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
  jobType: JobType,
  intentId: string,
  resolution: Resolution,
): Promise<Decided> {
  const { connection } = client.temporal;
  try {
    await connection.withDeadline(Date.now() + UPDATE_LIMIT_MS, () => client.resolve(jobType, intentId, resolution));
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      throw new RefusedDecision(`${intentId}: not taken: ${errorText(error.cause ?? error)}`);
    throw new Error(
      `${intentId}: its job did not answer within ${UPDATE_LIMIT_MS / 1_000} s (${errorText(error)}): does a worker run? ` +
        'The decision may still be taken: see `fillsafe job` before giving it again.',
      { cause: error },
    );
  }
  const next = {
    done: "the job ends as done, with the venue's own order as its result",
    absent:
      'the job goes on by its policy: an order that can rest is sent again, one that fills at once ends as NOT_EXECUTED',
    rejected: 'the job ends as refused, RESOLVED_REJECTED',
  }[resolution.decision];
  return { via: 'workflow', next };
}

async function inStore(
  config: FillsafeConfig,
  about: { jobType: JobType; intentId: string; symbol: string | undefined; venue: string | undefined },
  { decision, reason, actor, orderId }: Resolution,
): Promise<Decided> {
  const store = await openGuard(config);
  try {
    const { ref } = await findRecord(config, store, about);
    let payload = JSON.stringify({
      category: 'RESOLVED_REJECTED',
      message: `${actor} decided that it was refused: ${reason}`,
      why: reason,
    });
    if (decision === 'done' && orderId !== undefined)
      payload = serialiseResult(await theOrder(config, ref.venue, about.symbol, orderId));
    const outcome = await store.guard.resolve(ref, { decision, payload, actor, reason });
    if (outcome.kind === 'EARLY')
      throw new RefusedDecision(
        `${about.intentId}: not taken: its last request may still take effect for ${duration(outcome.waitMs)}; decide "absent" after that`,
      );
    if (outcome.kind === 'REFUSED')
      throw new RefusedDecision(
        `${about.intentId}: not taken: its record is ${outcome.state}; only a MANUAL one waits for a person`,
      );
    const next = {
      done: "no job runs for it; every later submit gets the venue's own order as its result",
      absent: 'no job runs for it; a later submit of the intent may act',
      rejected: 'no job runs for it; every later submit is refused, RESOLVED_REJECTED',
    }[decision];
    return { via: 'store', next };
  } finally {
    store.close();
  }
}

/** The order as the venue tells it: the result must be the venue's and not somebody's memory. */
async function theOrder(
  config: FillsafeConfig,
  venueName: string,
  symbol: string | undefined,
  orderId: string,
): Promise<OrderState> {
  if (symbol === undefined)
    throw new UsageError('--symbol: the job is gone, so the symbol is needed to ask the venue for the order');
  const venue = createVenues(config).get(venueName);
  if (!venue) throw new UsageError(`--venue: "${venueName}" is not configured`);
  await venue.syncClock();
  const found = await venue.findOrder(symbol, { orderId });
  if (!found) throw new UsageError(`--order-id: ${venueName} knows no order ${orderId} of ${symbol}`);
  return orderStateOf(found);
}
