import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { matchKillsToQueues } from '../../activities';
import type { Remembered } from '../breaker/control/memory';
import { ALL, LOOK_UP_LEVEL, parseScope, scopeOf, VENUE_LEVEL } from '../breaker/scope';
import { BreakerControl, controlledScopes } from '../client/breaker-control';
import { BOOKS, type Place } from '../domain/job-types';
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
  /** The last turn of each scope that is on its way to Temporal. */
  private readonly telling = new Map<string, Promise<void>>();
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
   * Resolves when Redis holds what people ordered, of every scope that concerns this worker; tries on for as long as it takes, as a
   * worker that does not know of a kill must not act. Needs a worker of the workflows, which may be in this process. Rejects when
   * it is stopped.
   */
  async restored(): Promise<void> {
    const scopes = await this.untilDone('every breaker', () => this.scopes());
    await Promise.all(scopes.map((scope) => this.restore(scope)));
    this.waitsFor = '';
    await this.matchQueues();
    this.timer = setInterval(() => void this.matchQueues(), MATCH_EVERY_MS);
    this.timer.unref();
  }

  /** Redis may have lost what people ordered of a scope, or of all: it is written again. */
  lost(scope?: string): void {
    const places = this.runtime.effects.heldPlaces();
    // What was seen is told as it is remembered now: it may give way to what Redis shows.
    const seen = scope === undefined ? undefined : this.seen(scope);
    const tell = async (): Promise<void> => {
      const scopes = scope === undefined ? await this.scopes() : [scope];
      await Promise.all(
        scopes.map((each) => new BreakerControl(this.client, each).lost(places, seen ?? this.seen(each))),
      );
    };
    // Only the end of this worker ends it.
    this.untilDone(scope ?? 'every breaker', tell).catch(() => undefined);
  }

  /** Tells the control workflow, so that the UI shows when and why a breaker turned, in that order. Acts do not wait for it. */
  turned({ scope, ...turn }: BreakerTurn): void {
    const before = this.telling.get(scope) ?? Promise.resolve();
    const telling = before
      .then(() => new BreakerControl(this.client, scope).turned(turn))
      .catch((error: unknown) => {
        const reason = (error as Error).message;
        this.runtime.log.warn({ scope, reason }, 'a turn of the breaker is not told in Temporal');
      })
      .finally(() => {
        if (this.telling.get(scope) === telling) this.telling.delete(scope);
      });
    this.telling.set(scope, telling);
  }

  stop(): void {
    clearInterval(this.timer);
    this.stopped.abort(new Error('the worker is shutting down'));
  }

  private async restore(scope: string): Promise<void> {
    const places = this.runtime.effects.heldPlaces();
    await this.untilDone(scope, () => new BreakerControl(this.client, scope).restore(places, this.seen(scope)));
  }

  /** The latest order of a scope that this worker has seen: where Temporal and Redis have lost it, they have it from here. */
  private seen(scope: string): Remembered {
    const { number, kill, killedBy, killReason } = this.runtime.breakerWatch.remembered(scope);
    return { number, kill, killedBy, killReason };
  }

  /** Tries on until it succeeds; rejects when this is stopped. */
  private async untilDone<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { signal } = this.stopped;
    for (;;) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        const reason = (error as Error).message;
        if (this.notReady) this.waitsFor = `what people ordered of ${what} is not known: ${reason}`;
        this.runtime.log.error(
          { what, reason },
          'what people ordered of a breaker is not known to be in Redis; trying on',
        );
        await sleep(AGAIN_MS, undefined, { signal });
      }
    }
  }

  /** Those of the configuration, and those that only their workflows know, such as accounts. */
  private async scopes(): Promise<string[]> {
    const places = this.runtime.effects.places();
    const scopes = [
      ALL,
      ...this.venues.flatMap((venue) => [VENUE_LEVEL, LOOK_UP_LEVEL].map((level) => scopeOf(venue, level))),
      ...places.map(({ venue, jobType }) => scopeOf(venue, jobType)),
    ];
    for await (const scope of controlledScopes(this.client))
      if ([...this.venues, BOOKS].includes(parseScope(scope).venue)) scopes.push(scope);
    return [...new Set(scopes)];
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
}
