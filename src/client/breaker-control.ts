import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { KnownAudit } from '../breaker/control/audit';
import type { ControlSnapshot } from '../breaker/control/page';
import type { HeldPlace } from '../breaker/control/places';
import { parseOverrideRequest, type OverrideRequest } from '../breaker/control/request';
import { controlId, scopeOfControl } from '../breaker/scope';
import { WORKFLOW_QUEUE } from '../domain/job-types';

/** An order waits for a worker to write it to Redis and, where it holds jobs, for what had just been let through. */
const ORDER_LIMIT_MS = 30_000;
const CALL_LIMIT_MS = 10_000;

/** An order was refused; the message says what was wrong with it. */
export class OverrideRefusedError extends Error {
  override readonly name = 'OverrideRefusedError';
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
   * worker took it within 30 s: it may still be taken later.
   */
  override(request: OverrideRequest): Promise<ControlSnapshot> {
    const checked = parseOverrideRequest(this.scope, request);
    return this.update('override', [checked], `${checked.action} of ${this.scope}`);
  }

  /** Writes what is ordered to Redis again. For workers. */
  restore(places: readonly HeldPlace[]): Promise<ControlSnapshot> {
    return this.update('restore', [places], `the orders of ${this.scope}`);
  }

  /** Has it written again without waiting for that: many workers may notice the same loss. For workers. */
  async lost(places: readonly HeldPlace[]): Promise<void> {
    await this.tell('restore', places);
  }

  /** Tells that the automatic breaker turned, starting the workflow where there is none. For workers. */
  async turned(turn: { from: string; to: string; why: string }): Promise<void> {
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

  private async tell(signal: string, what: unknown): Promise<void> {
    await this.temporal.connection.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
      this.temporal.workflow.signalWithStart('breakerControl', { ...this.start(), signal, signalArgs: [what] }),
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

  private async update(name: string, args: unknown[], what: string): Promise<ControlSnapshot> {
    const startWorkflowOperation = new WithStartWorkflowOperation('breakerControl', {
      ...this.start(),
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    try {
      return (await this.temporal.connection.withDeadline(Date.now() + ORDER_LIMIT_MS, () =>
        this.temporal.workflow.executeUpdateWithStart(name, { args, startWorkflowOperation }),
      )) as ControlSnapshot;
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) throw notTaken(error, what);
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${what} was not confirmed within ${ORDER_LIMIT_MS / 1_000} s: ${message}. Does a worker run (\`fillsafe status\`)? ` +
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

function notTaken(error: WorkflowUpdateFailedError, what: string): Error {
  const { message, type } =
    error.cause instanceof ApplicationFailure ? error.cause : { message: error.message, type: '' };
  return type === 'BadOverride' || type === 'INVALID'
    ? new OverrideRefusedError(message, { cause: error })
    : new Error(`${what}: ${message}`, { cause: error });
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
