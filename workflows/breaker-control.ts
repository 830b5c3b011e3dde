import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { AuditRow } from '../src/breaker/control/audit';
import { pageOf, snapshotOf, type ControlSnapshot } from '../src/breaker/control/page';
import { parseOverrideRequest, type OverrideRequest } from '../src/breaker/control/request';
import {
  adopt,
  expire,
  happened,
  leftMs,
  newState,
  order,
  refuse,
  turned,
  type Adoption,
  type ControlState,
  type Projection,
} from '../src/breaker/control/state';
import type { LevelOrders } from '../src/breaker/breakers';
import { scopeOfControl } from '../src/breaker/scope';

export const overrideUpdate = defineUpdate<ControlSnapshot, [OverrideRequest]>('override');
export const overrideSignal = defineSignal<[OverrideRequest]>('override');
export const stateQuery = defineQuery<ControlSnapshot>('state');
/** The audit's last rows, the oldest first. */
export const historyQuery = defineQuery<{ rows: AuditRow[]; number: number; hash: string }>('history');
/** From workers: what Redis holds may be lost, or a new venue has come. Answers when it is written again. */
export const restoreUpdate = defineUpdate<ControlSnapshot, [string[]?]>('restore');
/** From workers: the automatic breaker of this scope turned. */
export const turnedSignal = defineSignal<[{ from: string; to: string; why: string }]>('turned');

/** Far below the server's own limit, and a page that the UI shows at once. */
const MOST_EVENTS_A_RUN = 2_000;
const AGAIN_MS = 2_000;

// One try each: what is written says for how long it still holds, which must be counted anew for the next one.
const asked = (summary: string) =>
  proxyActivities<{
    adoptOverrides(scope: string, venues: string[]): Promise<Adoption>;
    projectOverrides(scope: string, venues: string[], orders: LevelOrders): Promise<Projection>;
  }>({
    ...{ startToCloseTimeout: '10 seconds', scheduleToStartTimeout: '10 seconds', retry: { maximumAttempts: 1 } },
    summary,
  });

/**
 * What people ordered of one scope: the source of truth, of which Redis holds a projection. Runs for ever; id `breaker:<scope>`.
 * A worker's death between any two lines loses nothing: the order is in the history before Redis hears of it, and is written
 * there again until that is confirmed.
 */
export async function breakerControl(carried?: ControlState): Promise<void> {
  const state = carried ?? newState(scopeOf(workflowInfo().workflowId));
  const control = new Control(state, carried !== undefined);
  control.openMessages();
  setCurrentDetails(pageOf(state));
  await control.begin();
  while (!isFull()) {
    const until = state.force?.until;
    const changes = (): boolean => state.force?.until !== until || isFull();
    const left = leftMs(state, Date.now());
    await (left === undefined
      ? condition(changes)
      : condition(changes, left, { summary: 'until what is forced ends' }));
    if (expire(state, Date.now())) control.tell();
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof breakerControl>(state);
}

function isFull(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return historyLength > MOST_EVENTS_A_RUN || continueAsNewSuggested;
}

class Control {
  private isBegun: boolean;
  /** The projection under way. One at a time, so that Redis hears of orders as they were given. */
  private projecting: Promise<Projection> | undefined;
  /** How often it was asked for, and which of these calls the last one that succeeded had begun after. */
  private asked = 0;
  private written = 0;

  constructor(
    private readonly state: ControlState,
    isCarried: boolean,
  ) {
    this.isBegun = isCarried;
  }

  openMessages(): void {
    const { state } = this;
    const what = '{action: open|close|auto|kill|unkill, reason, actor, forSeconds, ticket?}';
    setHandler(stateQuery, () => snapshotOf(state), { description: 'what is ordered, and what happened, in words' });
    setHandler(historyQuery, () => ({ rows: state.rows, number: state.number, hash: state.hash }), {
      description: "the audit's last rows",
    });
    setHandler(overrideUpdate, (raw) => this.override(raw), {
      description: `orders ${what}; answers when every worker goes by it`,
      validator: (raw) => void this.parsed(raw),
    });
    // A signal has no answer: what is wrong with one shows in `state` and in the current details.
    setHandler(
      overrideSignal,
      async (raw) => {
        try {
          await this.override(raw);
        } catch (error) {
          log.warn('an override signal was refused', { reason: (error as Error).message });
          refuse(state, (error as Error).message, Date.now());
          this.tell();
        }
      },
      { description: `orders ${what}; one that is refused shows in the current details` },
    );
    setHandler(restoreUpdate, (venues) => this.restore(venues ?? []), {
      description: 'writes what is ordered to Redis again; workers do it when they start, or when Redis lost data',
    });
    setHandler(
      turnedSignal,
      ({ from, to, why }) => {
        turned(state, { from, to, why }, Date.now());
        this.tell();
      },
      { description: 'the automatic breaker turned; told by workers' },
    );
  }

  /** Takes over what Redis knows, where the workflow before this one is gone: no order may be numbered before that. */
  async begin(): Promise<void> {
    while (!this.isBegun) {
      try {
        const { adoptOverrides } = asked('what does Redis know of earlier orders?');
        adopt(this.state, await adoptOverrides(this.state.scope, this.state.venues), Date.now());
        this.isBegun = true;
      } catch (error) {
        // Only one that can never be is told so at once.
        if (isFinal(error)) throw error;
        await this.putOff(error, 'reading what was ordered before');
      }
    }
    this.tell();
  }

  tell(): void {
    setCurrentDetails(pageOf(this.state));
  }

  private parsed(raw: unknown): OverrideRequest {
    try {
      return parseOverrideRequest(this.state.scope, raw);
    } catch (error) {
      throw ApplicationFailure.nonRetryable((error as Error).message, 'BadOverride');
    }
  }

  private async override(raw: unknown): Promise<ControlSnapshot> {
    const request = this.parsed(raw);
    await condition(() => this.isBegun);
    order(this.state, request, Date.now());
    this.tell();
    const { settleMs } = await this.project();
    // What was let through just before may still be on its way for so long: only then does nothing leave any more.
    const holds = request.action === 'kill' || request.action === 'open';
    if (holds) await sleep(settleMs, { summary: 'what was let through before may still leave' });
    return snapshotOf(this.state);
  }

  private async restore(venues: readonly string[]): Promise<ControlSnapshot> {
    await condition(() => this.isBegun);
    const { state } = this;
    state.venues = [...new Set([...state.venues, ...venues])].sort();
    state.projected = 0;
    await this.project();
    return snapshotOf(state);
  }

  /** Writes what is ordered to Redis, until that is confirmed. */
  private async project(): Promise<Projection> {
    const mine = ++this.asked;
    for (;;) {
      this.projecting ??= this.write().finally(() => (this.projecting = undefined));
      const projection = await this.projecting;
      if (this.written >= mine) return projection;
    }
  }

  private async write(): Promise<Projection> {
    const { state } = this;
    for (;;) {
      const [begunAfter, { number }] = [this.asked, state];
      const { projectOverrides } = asked(`${snapshotOf(state).standing} (order ${number}) to Redis`);
      try {
        const projection = await projectOverrides(state.scope, state.venues, ordersOf(state, Date.now()));
        this.written = begunAfter;
        state.projected = number;
        if (projection.note !== '') happened(state, Date.now(), projection.note);
        this.tell();
        return projection;
      } catch (error) {
        await this.putOff(error, 'writing it to Redis');
      }
    }
  }

  private async putOff(error: unknown, what: string): Promise<void> {
    const cause = causeOf(error);
    const message = `${what}: ${cause instanceof Error ? cause.message : String(cause)}`;
    log.warn('a breaker order waits', { scope: this.state.scope, reason: message });
    const last = this.state.events.at(-1)?.what;
    if (last !== message) happened(this.state, Date.now(), message);
    this.tell();
    await sleep(AGAIN_MS);
  }
}

function ordersOf(state: ControlState, nowMs: number): LevelOrders {
  const { kill, force } = state;
  return {
    number: state.number,
    kill: kill !== null,
    killedBy: kill?.actor ?? '',
    killReason: kill?.reason ?? '',
    force: force === null ? '' : force.action === 'open' ? 'open' : 'closed',
    forMs: leftMs(state, nowMs) ?? 0,
    actor: force?.actor ?? '',
    reason: force?.reason ?? '',
    ticket: force?.ticket ?? '',
    // All that are known where Redis may have lost some.
    rows: state.rows
      .filter(({ number }) => number > state.projected)
      .map((row) => ({ number: row.number, text: JSON.stringify(row) })),
  };
}

function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure && error.cause ? error.cause : error;
}

function isFinal(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && cause.type === 'INVALID';
}

function scopeOf(workflowId: string): string {
  try {
    return scopeOfControl(workflowId);
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`workflow id: ${(error as Error).message}`, 'INVALID');
  }
}
