import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { adopt, type Adoption } from '../src/breaker/control/adoption';
import type { KnownAudit } from '../src/breaker/control/audit';
import { hear, parseRemembered, recall, type Remembered } from '../src/breaker/control/memory';
import { pageOf, snapshotOf, type ControlSnapshot } from '../src/breaker/control/page';
import { joinPlaces, parsePlaces, type HeldPlace } from '../src/breaker/control/places';
import { parseOverrideRequest, type OverrideRequest } from '../src/breaker/control/request';
import {
  expire,
  happened,
  isResent,
  leftMs,
  newState,
  order,
  ordersOf,
  refuse,
  standsAlready,
  turned,
  type ControlState,
  type Projection,
} from '../src/breaker/control/state';
import type { LevelOrders } from '../src/breaker/breakers';
import { scopeOfControl } from '../src/breaker/scope';

export const overrideUpdate = defineUpdate<ControlSnapshot, [OverrideRequest]>('override');
export const overrideSignal = defineSignal<[OverrideRequest]>('override');
export const stateQuery = defineQuery<ControlSnapshot>('state');
/** The audit's last rows, the oldest first. */
export const historyQuery = defineQuery<KnownAudit>('history');
/**
 * From workers, with the latest order that they have seen: what Redis holds may be lost, or a new place has come. Answers when it
 * is written again.
 */
export const restoreUpdate = defineUpdate<ControlSnapshot, [HeldPlace[], Remembered | undefined]>('restore');
/** The same without an answer: of many workers that notice a loss none waits for the others. */
export const restoreSignal = defineSignal<[HeldPlace[], Remembered | undefined]>('restore');
/** From workers: the automatic breaker of this scope turned, at this Redis time in ms. */
export const turnedSignal = defineSignal<[{ from: string; to: string; why: string; at?: number }]>('turned');

/** A run ends when its history is so long and nothing waits for Redis: a page that the UI shows at once. */
const LONG_HISTORY = 2_000;
/** It ends even so, far below the server's own limit: Redis may be away for days. */
const LONGEST_HISTORY = 10_000;
const AGAIN_MS = 2_000;
/** Whoever ordered is told that it is not in effect yet, while clients still listen. */
const TELL_AFTER_MS = 25_000;

// One try each: what is written says for how long it still holds, which must be counted anew for the next one.
const inWords = (summary: string) =>
  proxyActivities<{
    adoptOverrides(scope: string, places: HeldPlace[]): Promise<Adoption>;
    projectOverrides(scope: string, places: HeldPlace[], orders: LevelOrders): Promise<Projection>;
  }>({
    ...{ startToCloseTimeout: '10 seconds', scheduleToStartTimeout: '10 seconds', retry: { maximumAttempts: 1 } },
    summary,
  });

/**
 * What people ordered of one scope: the source of truth, of which Redis holds a projection. Runs for ever; id `breaker:<scope>`.
 * A worker's death between any two lines loses nothing: the order is in the history before Redis hears of it, and is written
 * there again until that is confirmed. `carried` is for the run that continues as new alone.
 */
export async function breakerControl(carried?: ControlState | null): Promise<void> {
  const control = new Control(begun(carried));
  control.openMessages();
  await control.run();
  await condition(allHandlersFinished);
  if (control.impossible) throw control.impossible;
  await continueAsNew<typeof breakerControl>(control.state);
}

class Control {
  /** How often something was to be written, and which of these calls the last write that succeeded had begun after. */
  private asked: number;
  private written = 0;
  /** What was let through before the last write may leave for so long. */
  private settleMs = 0;
  /** Why the last write did not succeed, if it did not. */
  private waitsFor = '';
  /** Why there can be no such scope, if that turned out. */
  impossible: ApplicationFailure | undefined;

  constructor(readonly state: ControlState) {
    this.asked = snapshotOf(state).inEffect ? 0 : 1;
  }

  openMessages(): void {
    const { state } = this;
    const what = '{action: open|close|auto|kill|unkill, reason, actor, forSeconds, ticket?}';
    setHandler(stateQuery, () => snapshotOf(state), { description: 'what is ordered, and what happened, in words' });
    setHandler(
      historyQuery,
      () => ({ rows: state.rows, number: state.number, projected: state.isAdopted ? state.projected : 0 }),
      { description: "the audit's last rows" },
    );
    setHandler(overrideUpdate, (raw) => this.override(raw), {
      description: `orders ${what}; answers when every worker goes by it`,
      validator: (raw) => void this.read(raw),
    });
    // A signal has no answer: what is wrong with one shows in `state` and in the current details.
    setHandler(overrideSignal, (raw) => this.signalled(raw), {
      description: `orders ${what}; one that is refused shows in the current details`,
    });
    setHandler(restoreUpdate, (raw, seen) => this.restore(parsePlaces(raw), seen), {
      description: 'writes what is ordered to Redis again; workers do it when they start, or when Redis lost data',
      validator: (raw, _seen) => void parsePlaces(raw),
    });
    setHandler(restoreSignal, (raw, seen) => this.lost(raw, seen), { description: 'the same, without an answer' });
    setHandler(
      turnedSignal,
      (turn) => {
        turned(state, turn, Date.now());
        this.tell();
      },
      { description: 'the automatic breaker turned; told by workers' },
    );
  }

  /** Resolves when this run is to end. */
  async run(): Promise<void> {
    const { state } = this;
    this.tell();
    while (!this.isOver()) {
      if (expire(state, Date.now())) this.tell();
      if (this.asked > this.written) await this.carryOut();
      else await this.changes(leftMs(state, Date.now()));
    }
  }

  private isOver(): boolean {
    if (this.impossible) return true;
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const isLong = historyLength > LONG_HISTORY || continueAsNewSuggested;
    return isLong && (this.asked === this.written || historyLength > LONGEST_HISTORY);
  }

  /** Until something is ordered, the run is over, or so much time has passed. */
  private async changes(withinMs: number | undefined): Promise<void> {
    const { asked } = this;
    const isChanged = (): boolean => this.asked !== asked || this.isOver();
    await (withinMs === undefined
      ? condition(isChanged)
      : condition(isChanged, withinMs, { summary: 'until what is forced ends, or Redis is tried again' }));
  }

  /** One step: takes over what Redis knows, where this workflow does not know it, or else writes there what is ordered. */
  private async carryOut(): Promise<void> {
    const { state, asked } = this;
    try {
      if (state.isAdopted) await this.write(asked);
      else await this.adopt();
    } catch (error) {
      const cause = error instanceof ActivityFailure && error.cause ? error.cause : error;
      const message = cause instanceof Error ? cause.message : String(cause);
      if (cause instanceof ApplicationFailure && cause.type === 'INVALID') {
        this.impossible = refusal('INVALID', message);
        return;
      }
      log.warn('a breaker order waits', { scope: state.scope, reason: message });
      this.waitsFor = `not in Redis yet: ${message}`;
      if (state.events.at(-1)?.what !== this.waitsFor) happened(state, Date.now(), this.waitsFor);
      this.tell();
      await this.changes(AGAIN_MS);
    }
    this.tell();
  }

  private async adopt(): Promise<void> {
    const { adoptOverrides } = inWords('what does Redis know of earlier orders?');
    adopt(this.state, await adoptOverrides(this.state.scope, this.state.places), Date.now());
    recall(this.state, Date.now());
  }

  private async write(asked: number): Promise<void> {
    const { state } = this;
    const { number } = state;
    const { projectOverrides } = inWords(`${snapshotOf(state).standing} (order ${number}) to Redis`);
    const { isStale, settleMs, note } = await projectOverrides(state.scope, state.places, ordersOf(state, Date.now()));
    if (isStale) {
      state.isAdopted = false;
      throw new Error('it knows of later orders than this workflow, which are taken over first');
    }
    this.written = asked;
    this.waitsFor = '';
    this.settleMs = settleMs;
    state.projected = number;
    if (this.asked === asked) state.isLost = false;
    if (note !== '' && note !== state.note) happened(state, Date.now(), note);
    state.note = note;
  }

  private tell(): void {
    setCurrentDetails(pageOf(this.state));
  }

  private read(raw: unknown): OverrideRequest {
    try {
      return parseOverrideRequest(this.state.scope, raw);
    } catch (error) {
      throw refusal('BadOverride', (error as Error).message);
    }
  }

  private async override(raw: unknown): Promise<ControlSnapshot> {
    const request = this.read(raw);
    const update = currentUpdateInfo()?.id;
    if (update === undefined || !isResent(this.state, update, Date.now())) this.take(request);
    await this.untilWritten();
    // What was let through just before may still be on its way for so long: only then does nothing leave any more.
    const holds = request.action === 'kill' || request.action === 'open';
    if (holds && this.settleMs > 0)
      await sleep(this.settleMs, { summary: 'what was let through before may still leave' });
    return snapshotOf(this.state);
  }

  private signalled(raw: unknown): void {
    try {
      this.take(this.read(raw));
    } catch (error) {
      log.warn('an override signal was refused', { reason: (error as Error).message });
      refuse(this.state, (error as Error).message, Date.now());
      this.tell();
    }
  }

  private take(request: OverrideRequest): void {
    // What stands is written again even so: whoever repeats a kill may have seen that it does not hold.
    if (standsAlready(this.state, request) && patched('a kill that stands is no second order')) {
      this.state.isLost = true;
    } else {
      order(this.state, request, Date.now());
    }
    this.asked += 1;
    this.tell();
  }

  private async restore(told: readonly HeldPlace[], seen: unknown): Promise<ControlSnapshot> {
    this.writeAgain(told, seen);
    await this.untilWritten();
    return snapshotOf(this.state);
  }

  private lost(raw: unknown, seen: unknown): void {
    try {
      this.writeAgain(parsePlaces(raw), seen);
    } catch (error) {
      // No word of a loss goes unheard for what else is wrong with it.
      log.warn('a restore signal names no places', { reason: (error as Error).message });
      this.writeAgain([], seen);
    }
  }

  private writeAgain(told: readonly HeldPlace[], seen: unknown): void {
    const { state } = this;
    hear(state, parseRemembered(seen));
    state.places = joinPlaces(state.places, told);
    state.isLost = true;
    this.asked += 1;
  }

  private async untilWritten(): Promise<void> {
    const { asked } = this;
    const isDone = (): boolean => this.written >= asked || this.impossible !== undefined;
    const inTime = await condition(isDone, TELL_AFTER_MS);
    if (this.impossible) throw this.impossible;
    if (inTime) return;
    const message = `taken and kept, but not in effect yet; it will be as soon as Redis takes it. ${this.waitsFor}`;
    throw refusal('NotInEffect', message);
  }
}

/** The state to begin with: none but the run before may give one. */
function begun(carried: ControlState | null | undefined): ControlState {
  let scope: string;
  try {
    scope = scopeOfControl(workflowInfo().workflowId);
  } catch (error) {
    throw refusal('INVALID', `workflow id: ${(error as Error).message}`);
  }
  // A run before an upgrade knew less.
  const state = { ...newState(scope), ...carried };
  if (state.scope !== scope) throw refusal('INVALID', 'input: there is none; the workflow id tells the scope');
  return state;
}

/** What people read in histories and the UI is the sentence: a stack trace would put file paths there. */
function refusal(type: 'INVALID' | 'BadOverride' | 'NotInEffect', message: string): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(message, type);
  failure.stack = `${type}: ${message}`;
  return failure;
}
