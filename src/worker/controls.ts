import type { Client } from '@temporalio/client';
import { matchKillsToQueues } from '../../activities';
import { ALL, scopeOf, scopeOfControl, VENUE_LEVEL } from '../breaker/scope';
import { BreakerControl } from '../client/breaker-control';
import type { Place } from '../domain/job-types';
import type { BreakerTurn } from '../interceptors/breaker-act';
import type { Runtime } from '../interceptors/runtime';

const AGAIN_MS = 3_000;
const MATCH_EVERY_MS = 60_000;

/**
 * A worker's ties to the control workflows: before it acts, Redis must hold again what people ordered; what its breakers do is
 * told there.
 */
export class Controls {
  private readonly venues: string[];
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private waitsFor = 'what people ordered of the breakers was not read yet';

  constructor(
    private readonly client: Client,
    private readonly runtime: Runtime,
  ) {
    this.venues = [...new Set(runtime.effects.places().map(({ venue }) => venue))];
  }

  /** Why the effects may not begin yet; `undefined` once they may. */
  get notReady(): string | undefined {
    return this.waitsFor === '' ? undefined : this.waitsFor;
  }

  /**
   * Resolves when Redis holds what people ordered, of every scope; tries on for as long as it takes, as a worker that does not
   * know of a kill must not act. Needs a worker of the workflows, which may be in this process. Rejects when it is stopped.
   */
  async restored(): Promise<void> {
    for (;;) {
      this.stopped.signal.throwIfAborted();
      try {
        await this.restoreAll();
        this.waitsFor = '';
        break;
      } catch (error) {
        this.waitsFor = `what people ordered of the breakers is not known: ${(error as Error).message}`;
        this.runtime.log.error(
          { reason: (error as Error).message },
          'no effect begins before the overrides are known; trying on',
        );
        await this.pause(AGAIN_MS);
      }
    }
    await this.matchQueues();
    this.timer = setInterval(() => void this.matchQueues(), MATCH_EVERY_MS);
    this.timer.unref();
  }

  /** Redis lost what people ordered of a scope, or of some: it is written again. */
  lost(scope?: string): void {
    const again = scope === undefined ? this.restoreAll() : this.restore(scope);
    again.catch((error: unknown) => {
      this.runtime.log.error({ scope, reason: (error as Error).message }, 'what people ordered is not in Redis');
      void this.pause(AGAIN_MS).then(
        () => this.lost(scope),
        () => undefined,
      );
    });
  }

  /** Tells the control workflow, so that the UI shows when and why a breaker turned. Acts do not wait for it. */
  turned({ scope, ...turn }: BreakerTurn): void {
    new BreakerControl(this.client, scope).turned(turn).catch((error: unknown) => {
      this.runtime.log.warn(
        { scope, reason: (error as Error).message },
        'a turn of the breaker is not told in Temporal',
      );
    });
  }

  stop(): void {
    clearInterval(this.timer);
    this.stopped.abort(new Error('the worker is shutting down'));
  }

  private async restoreAll(): Promise<void> {
    const scopes = new Set([ALL, ...this.placesScopes(), ...(await this.runningScopes())]);
    await Promise.all([...scopes].map((scope) => this.restore(scope)));
  }

  private async restore(scope: string): Promise<void> {
    await new BreakerControl(this.client, scope).restore(this.venues);
  }

  private placesScopes(): string[] {
    const places = this.runtime.effects.places();
    return [
      ...this.venues.map((venue) => scopeOf(venue, VENUE_LEVEL)),
      ...places.map(({ venue, jobType }) => scopeOf(venue, jobType)),
    ];
  }

  /** Scopes that no configuration names, such as accounts. */
  private async runningScopes(): Promise<string[]> {
    const scopes: string[] = [];
    const query = 'WorkflowType = "breakerControl" AND ExecutionStatus = "Running"';
    for await (const { workflowId } of this.client.workflow.list({ query })) {
      try {
        scopes.push(scopeOfControl(workflowId));
      } catch {
        // Somebody gave it a name of their own: it is none of a scope.
      }
    }
    return scopes;
  }

  private async matchQueues(): Promise<void> {
    const { effects, guard, log } = this.runtime;
    try {
      const killOf = ({ venue, jobType }: Place) => guard.breakers.killOf(venue, jobType);
      const notes = await matchKillsToQueues(this.client, effects.heldPlaces(), killOf);
      if (notes.length > 0) log.warn({ notes }, "Temporal's limits of the queues did not fit the kills that hold");
    } catch (error) {
      log.warn({ reason: (error as Error).message }, "Temporal's limits of the queues could not be compared");
    }
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.stopped;
    return new Promise((resolve, reject) => {
      const give = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', give);
        resolve();
      }, ms);
      if (signal.aborted) give();
      else signal.addEventListener('abort', give, { once: true });
    });
  }
}
