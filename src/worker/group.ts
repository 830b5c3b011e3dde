import type { Worker } from '@temporalio/worker';

/** Temporal workers of one process that end together: half of them would look healthy and do half of the work. */
export class WorkerGroup {
  /** Those that were started, ended ones too. */
  readonly workers: Worker[] = [];
  /** Resolves when all have ended; rejects with the first failure, which ends the others. */
  readonly done: Promise<void>;
  private settle!: { resolve: () => void; reject: (error: unknown) => void };
  private running = 0;
  private failure: { error: unknown } | undefined;

  constructor() {
    this.done = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // Whoever waits for the end hears of it; until then a rejection must not count as unhandled.
    this.done.catch(() => undefined);
  }

  run(workers: readonly Worker[]): void {
    this.workers.push(...workers);
    this.running += workers.length;
    for (const worker of workers) {
      void worker
        .run()
        .catch((error: unknown) => {
          this.failure ??= { error };
          this.stop();
        })
        .finally(() => {
          this.running -= 1;
          if (this.running > 0) return;
          if (this.failure) this.settle.reject(this.failure.error);
          else this.settle.resolve();
        });
    }
  }

  stop(): void {
    for (const worker of this.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  }
}
