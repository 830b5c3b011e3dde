import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { KnownAudit } from '../breaker/control/audit';
import type { ControlSnapshot } from '../breaker/control/page';
import type { Remembered } from '../breaker/control/memory';
import type { HeldPlace } from '../breaker/control/places';
import { parseOverrideRequest, type OverrideRequest } from '../breaker/control/request';
import { controlId, scopeOfControl } from '../breaker/scope';
import { WORKFLOW_QUEUE } from '../domain/job-types';

/** An order waits for a worker to write it to Redis and, where it holds jobs, for what had just been let through. */
const ORDER_LIMIT_MS = 30_000;
/** A worker that runs takes an order within a second; whoever kills should soon hear that none does. */
const KILL_TAKEN_WITHIN_MS = 10_000;
const CALL_LIMIT_MS = 10_000;

/** An order was refused; the message says what was wrong with it. */
export class OverrideRefusedError extends Error {
  override readonly name = 'OverrideRefusedError';
}

/** Nobody said what became of an order: it may have been taken, or not. */
class UnconfirmedError extends Error {
  override readonly name = 'UnconfirmedError';
}

/** The control workflow of one breaker scope: where people order, and where it is told who ordered what. */
export class BreakerControl {
  readonly workflowId: string;

  constructor(
    private readonly temporal: Client,
    readonly scope: string,
  ) {
    this.workflowId = controlId(scope);
  }

  /**
   * Orders, starting the control workflow where there is none. Resolves when every worker goes by it; after `kill` and `open`
   * nothing that adds risk leaves from then on.
   *
   * @throws TypeError for an order that is wrong in itself, OverrideRefusedError for one that the workflow refuses, Error when no
   * worker confirmed it: a kill is kept then, and the first worker that starts obeys it; any other order may still be taken, or not.
   */
  override(request: OverrideRequest): Promise<ControlSnapshot> {
    const checked = parseOverrideRequest(this.scope, request);
    const what = `${checked.action} of ${this.scope}`;
    return checked.action === 'kill' ? this.kill(checked, what) : this.update('override', [checked], what);
  }

  /**
   * An update is kept by Temporal only once a worker has accepted it, a signal at once. So a kill that nobody confirms is left as a
   * signal: workers begin nothing that adds risk before they have asked every control workflow, which reads its signals first. It
   * may have been accepted all the same: the workflow takes a kill that stands already, word for word, for the same one. Only a
   * kill is kept so: it can do no harm late, and has no time that would begin when nobody expects it any more.
   */
  private async kill(order: OverrideRequest, what: string): Promise<ControlSnapshot> {
    try {
      return await this.update('override', [order], what, KILL_TAKEN_WITHIN_MS);
    } catch (error) {
      if (!(error instanceof UnconfirmedError)) throw error;
      await this.tell('override', order).catch((reason: Error) => {
        throw new Error(`${what} is NOT kept, Temporal did not take it: ${reason.message}. ${error.message}`, {
          cause: reason,
        });
      });
      throw new Error(
        `${what} is kept in Temporal, but not in force yet: the first worker that starts obeys it before it acts. ${error.message}`,
        { cause: error },
      );
    }
  }

  /** Writes what is ordered to Redis again; `seen` is the latest order that the worker knows of. For workers. */
  restore(places: readonly HeldPlace[], seen?: Remembered): Promise<ControlSnapshot> {
    return this.update('restore', [places, seen], `the orders of ${this.scope}`);
  }

  /** Has it written again without waiting for that: many workers may notice the same loss. For workers. */
  async lost(places: readonly HeldPlace[], seen?: Remembered): Promise<void> {
    await this.tell('restore', places, seen);
  }

  /** Tells that the automatic breaker turned, starting the workflow where there is none. For workers. */
  async turned(turn: { from: string; to: string; why: string; at: number }): Promise<void> {
    await this.tell('turned', turn);
  }

  /** What is ordered and what happened; `undefined` where nobody has ordered or told anything yet. Needs a worker. */
  state(): Promise<ControlSnapshot | undefined> {
    return this.query<ControlSnapshot>('state');
  }

  /** The audit's last rows as the workflow has them. */
  history(): Promise<KnownAudit | undefined> {
    return this.query('history');
  }

  private async tell(signal: string, ...signalArgs: unknown[]): Promise<void> {
    await this.temporal.connection.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
      this.temporal.workflow.signalWithStart('breakerControl', { ...this.start(), signal, signalArgs }),
    );
  }

  private async query<T>(name: string): Promise<T | undefined> {
    const handle = this.temporal.workflow.getHandle(this.workflowId);
    try {
      const [answer, { status }] = await this.temporal.connection.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
        Promise.all([handle.query<T>(name), handle.describe()]),
      );
      // One that has ended answers too, of what was.
      return status.name === 'RUNNING' ? answer : undefined;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  private async update(
    name: string,
    args: unknown[],
    what: string,
    takenWithinMs = ORDER_LIMIT_MS,
  ): Promise<ControlSnapshot> {
    const { connection, workflow } = this.temporal;
    const startWorkflowOperation = new WithStartWorkflowOperation('breakerControl', {
      ...this.start(),
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    const endsAt = Date.now() + ORDER_LIMIT_MS;
    let lacking = `taken by a worker within ${takenWithinMs / 1_000} s`;
    try {
      const taken = await connection.withDeadline(Date.now() + takenWithinMs, () =>
        workflow.startUpdateWithStart(name, { args, startWorkflowOperation, waitForStage: 'ACCEPTED' }),
      );
      lacking = `confirmed within ${ORDER_LIMIT_MS / 1_000} s`;
      return (await connection.withDeadline(endsAt, () => taken.result())) as ControlSnapshot;
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) throw notTaken(error, what);
      const message = error instanceof Error ? error.message : String(error);
      throw new UnconfirmedError(
        `${what} was not ${lacking}: ${message}. Does a worker run (\`fillsafe status\`)? ` +
          `The workflow ${this.workflowId} tells what became of it`,
        { cause: error },
      );
    }
  }

  private start() {
    return {
      workflowId: this.workflowId,
      taskQueue: WORKFLOW_QUEUE,
      args: [],
      // A kill must not wait behind the jobs that it is to stop.
      priority: { priorityKey: 1 },
      staticSummary: `breaker of ${this.scope}: what people ordered`,
    };
  }
}

/** What the workflow answered in place of a snapshot, or Temporal for it where its run ended before it did. */
function notTaken(error: WorkflowUpdateFailedError, what: string): Error {
  const { message, type } =
    error.cause instanceof ApplicationFailure ? error.cause : { message: error.message, type: '' };
  const options = { cause: error };
  if (type === 'BadOverride' || type === 'INVALID') return new OverrideRefusedError(message, options);
  return type === 'NotInEffect'
    ? new Error(`${what}: ${message}`, options)
    : new UnconfirmedError(`${what}: ${message}`, options);
}

/** Every scope that has a control workflow. */
export async function* controlledScopes(temporal: Client): AsyncGenerator<string> {
  const query = 'WorkflowType = "breakerControl" AND ExecutionStatus = "Running"';
  for await (const { workflowId } of temporal.workflow.list({ query })) {
    try {
      yield scopeOfControl(workflowId);
    } catch {
      // Somebody gave it a name of their own: it is none of a scope.
    }
  }
}
