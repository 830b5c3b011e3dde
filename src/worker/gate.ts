import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  SlotPermit,
  SlotReserveContext,
  WorkerOptions,
} from '@temporalio/worker';
import type { Place } from '../domain/job-types';
import type { Runtime } from '../interceptors/runtime';

/** What is shut or paced is looked at again so often: what opens it may come from anywhere. */
const RECHECK_MS = 200;

/** So many jobs at most come through after the gate has shut: a poll that is out cannot be called back. */
const MOST_POLLS = 10;

/**
 * Slots of a worker that takes acts of one place, behind a gate: jobs that a breaker holds stay in their queue, where they cost
 * nothing, and leave it as a queue and not as a herd. Polls that were out when the gate shut bring what they bring; those
 * acts `admit` holds.
 */
export class GatedSlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  private used = 0;
  private lastAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  /** Polls that wait for a slot, the first of them first. */
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly most: number,
    /** Slots a second: 0 shuts the gate, Infinity leaves it open. */
    private readonly perSecond: () => number,
  ) {}

  reserveSlot(_context: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      // Temporal's SDK logs an error for anything but its own reason.
      const give = (): void => {
        this.waiting.delete(take);
        reject(signal.reason);
      };
      const take = (): void => {
        signal.removeEventListener('abort', give);
        resolve({});
      };
      if (signal.aborted) return give();
      signal.addEventListener('abort', give, { once: true });
      this.waiting.add(take);
      this.grant();
    });
  }

  tryReserveSlot(): SlotPermit | null {
    if (this.waiting.size > 0 || this.used >= this.most || this.waitMs() > 0) return null;
    this.take();
    return {};
  }

  markSlotUsed(): void {
    // A slot counts from its reserving on.
  }

  releaseSlot(): void {
    this.used -= 1;
    this.grant();
  }

  private grant(): void {
    clearTimeout(this.timer);
    for (const next of this.waiting) {
      if (this.used >= this.most) return;
      const waitMs = this.waitMs();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.grant(), Math.min(waitMs, RECHECK_MS)).unref();
        return;
      }
      this.waiting.delete(next);
      this.take();
      next();
    }
  }

  /** Ms until one more may be given. */
  private waitMs(): number {
    const perSecond = this.perSecond();
    return perSecond === 0 ? Infinity : this.lastAt + 1_000 / perSecond - performance.now();
  }

  private take(): void {
    this.used += 1;
    this.lastAt = performance.now();
  }
}

/** How many acts a second this worker may take from the queue of a place: what the fleet's breakers and its own say. */
function paceOf({ breakerWatch, locals }: Runtime, place: Place): number {
  const fleet = breakerWatch.pace(place).perSecond;
  const local = locals.of(place)?.perSecond ?? Infinity;
  return local < fleet && !breakerWatch.isForcedClosed(place) ? local : fleet;
}

/** Whether this worker takes nothing from the queue of a place that breakers may hold. */
export function isShut(runtime: Runtime, place: Place): boolean {
  return paceOf(runtime, place) === 0;
}

/** How a worker takes acts of a place that breakers may hold. */
export function gated(runtime: Runtime, place: Place): Pick<WorkerOptions, 'tuner' | 'activityTaskPollerBehavior'> {
  const most = runtime.config.worker.concurrency;
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return {
    tuner: {
      activityTaskSlotSupplier: new GatedSlots(most, () => paceOf(runtime, place)),
      // Nothing of the kind is done there.
      workflowTaskSlotSupplier: none,
      localActivityTaskSlotSupplier: none,
      nexusTaskSlotSupplier: none,
    },
    activityTaskPollerBehavior: { type: 'autoscaling', maximum: MOST_POLLS },
  };
}
