import type { VenueClock } from './clock';
import type { Fault, FaultKind, FaultOf } from './fault-schema';
import { createRandom } from './random';

/** What faults may match of a request, read before anything is checked. */
export interface RequestFacts {
  method: string;
  path: string;
  symbol: string | undefined;
  clientOrderId: string | undefined;
}

/** What happens to one request: at most one fault a place, so that faults in different places combine. */
export interface FaultPlan {
  kinds: FaultKind[];
  delayBeforeMs: number;
  delayAfterMs: number;
  /** In place of processing, or around it. */
  instead?: FaultOf<'drop_before' | 'error_5xx_not_executed' | 'rate_limit' | 'ban' | 'black_hole' | 'late_execution'>;
  /** Instead of the answer, after processing. */
  answer?: FaultOf<'drop_after' | 'error_5xx_executed' | 'corrupt'>;
  lookupLagMs: number;
}

interface ActiveFault {
  id: number;
  fault: Fault;
  addedAt: number;
  matched: number;
  struck: number;
}

/** The faults in force. Kept in memory: a restarted venue has those of its scenario file again. */
export class Faults {
  private active: ActiveFault[] = [];
  private lastId = 0;
  private readonly random;

  constructor(
    seed: number,
    private readonly clock: Pick<VenueClock, 'now'>,
  ) {
    this.random = createRandom(seed, 'faults');
  }

  add(faults: readonly Fault[]): number[] {
    const added = faults.map((fault) => ({
      id: (this.lastId += 1),
      fault,
      addedAt: this.clock.now(),
      matched: 0,
      struck: 0,
    }));
    this.active.push(...added);
    return added.map(({ id }) => id);
  }

  /** Removes the fault with `id`, or all. Tells how many. */
  remove(id?: number): number {
    const before = this.active.length;
    this.active = id === undefined ? [] : this.active.filter((entry) => entry.id !== id);
    return before - this.active.length;
  }

  list(): Record<string, unknown>[] {
    return this.active.map(({ id, fault, matched, struck }) => ({ id, ...fault, matched, struck }));
  }

  plan(request: RequestFacts): FaultPlan {
    const plan: FaultPlan = { kinds: [], delayBeforeMs: 0, delayAfterMs: 0, lookupLagMs: 0 };
    for (const entry of this.active) {
      if (!this.strikes(entry, request) || !place(entry.fault, plan)) continue;
      entry.struck += 1;
      plan.kinds.push(entry.fault.kind);
    }
    return plan;
  }

  private strikes(entry: ActiveFault, request: RequestFacts): boolean {
    const { match, times, afterMs = 0, forMs } = entry.fault;
    const age = this.clock.now() - entry.addedAt;
    if (age < afterMs || (forMs !== undefined && age >= afterMs + forMs)) return false;
    if (!matches(entry.fault, request)) return false;
    const limit = times ?? (match.nth === undefined ? Infinity : 1);
    if (entry.struck >= limit) return false;
    entry.matched += 1;
    if (match.nth !== undefined && entry.matched < match.nth) return false;
    return match.probability === undefined || this.random.fraction() < match.probability;
  }
}

function matches({ match, kind }: Fault, request: RequestFacts): boolean {
  // An order is what lags; nothing else can.
  if (kind === 'lookup_lag' && !(request.method === 'POST' && request.path === '/api/v3/order')) return false;
  if (match.method !== undefined && match.method !== request.method) return false;
  if (match.symbol !== undefined && match.symbol !== request.symbol) return false;
  if (match.clientOrderId !== undefined && match.clientOrderId !== request.clientOrderId) return false;
  if (match.path === undefined) return true;
  return match.path.endsWith('*') ? request.path.startsWith(match.path.slice(0, -1)) : match.path === request.path;
}

/** Puts the fault into the plan; false when its place is taken, so that it strikes another time. */
function place(fault: Fault, plan: FaultPlan): boolean {
  switch (fault.kind) {
    case 'delay':
      if (fault.phase === 'before') plan.delayBeforeMs += fault.ms;
      else plan.delayAfterMs += fault.ms;
      return true;
    case 'lookup_lag':
      plan.lookupLagMs = Math.max(plan.lookupLagMs, fault.ms);
      return true;
    case 'drop_after':
    case 'error_5xx_executed':
    case 'corrupt':
      if (plan.answer || plan.instead) return false;
      plan.answer = fault;
      return true;
    default:
      if (plan.answer || plan.instead) return false;
      plan.instead = fault;
      return true;
  }
}
