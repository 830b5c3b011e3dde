import type { Logger } from 'pino';

/**
 * Settlements that could not reach Redis. The act's result has gone to Temporal, which will not ask again; the record still
 * says CLAIMED. Each is tried again once a second until it arrives; the fence makes a late one harmless. After a crash of
 * this process the claim's lease runs out and a look-up finds the truth at the venue.
 */
export class Outbox {
  private readonly waiting = new Set<() => Promise<void>>();
  private timer: NodeJS.Timeout | undefined;

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
    for (const settle of [...this.waiting]) {
      try {
        await settle();
        this.waiting.delete(settle);
      } catch (error) {
        this.log.warn(
          { waiting: this.waiting.size, reason: (error as Error).message },
          'a settlement still waits for Redis',
        );
        break;
      }
    }
    if (this.waiting.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    return this.waiting.size;
  }
}
