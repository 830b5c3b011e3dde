import type { Logger } from 'pino';
import { isStoreUnavailable } from '../redis/client';

/**
 * Settlements that could not reach Redis. The act's result has gone to Temporal, which will not ask again; the record still
 * says CLAIMED. Each is tried again once a second until it arrives; the fence makes a late one harmless. After a crash of
 * this process the claim's lease runs out and a look-up finds the truth at the venue.
 */
export class Outbox {
  private readonly waiting = new Set<() => Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly log: Logger,
    private readonly everyMs = 1_000,
  ) {}

  get size(): number {
    return this.waiting.size;
  }

  add(settle: () => Promise<void>): void {
    this.waiting.add(settle);
    this.timer ??= setInterval(() => void this.flush(), this.everyMs).unref();
  }

  /** Tries all once; answers how many are left. */
  async flush(): Promise<number> {
    this.running ??= this.tryAll().finally(() => (this.running = undefined));
    await this.running;
    return this.waiting.size;
  }

  /** Each for itself: one that Redis refuses (full, say) must not hold up those that it would take. */
  private async tryAll(): Promise<void> {
    let reason: string | undefined;
    const tryOne = async (settle: () => Promise<void>): Promise<void> => {
      try {
        await settle();
        this.waiting.delete(settle);
      } catch (error) {
        if (!isStoreUnavailable(error)) {
          // Trying again would not help, and those behind it must not wait for it.
          this.log.error({ err: error }, 'a settlement was given up; a look-up will find what is true');
          this.waiting.delete(settle);
          return;
        }
        reason = (error as Error).message;
      }
    };
    await Promise.all([...this.waiting].map(tryOne));
    if (this.waiting.size > 0) {
      this.log.warn({ waiting: this.waiting.size, reason }, 'a settlement still waits for Redis');
      return;
    }
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
