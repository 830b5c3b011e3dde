import type { JobOutcome, SubmittedJob } from '../client/client';

/**
 * Jobs listened for at the same time. Each costs the server an open request, and jobs end in about the order in which they
 * were started: few at the front of the line see nearly every end at once.
 */
const AT_ONCE = 16;
/** After this time a job that still runs goes to the back of the line, so that held jobs do not hide those that end. */
const TURN_MS = 3_000;

interface Waiting {
  job: Pick<SubmittedJob, 'outcome'>;
  deadline: number;
  onEnd: (outcome: JobOutcome) => Promise<void>;
}

/** Waits for the ends of many jobs, a few at a time. A job that waits for a person has ended, for us. */
export class WaitList {
  private readonly waiting: Waiting[] = [];
  private readonly running = new Set<Promise<void>>();
  private failed: { error: unknown } | undefined;

  /** `deadline`: epoch ms, after which a job that still runs is told as running; `Infinity` for none. */
  add(job: Waiting['job'], deadline: number, onEnd: Waiting['onEnd']): void {
    this.waiting.push({ job, deadline, onEnd });
    this.fill();
  }

  /** Resolves when every job that was added has been told. */
  async end(): Promise<void> {
    while (this.running.size > 0 && !this.failed) await Promise.race(this.running);
    if (this.failed) throw this.failed.error;
  }

  private fill(): void {
    while (this.running.size < AT_ONCE && !this.failed) {
      const next = this.waiting.shift();
      if (!next) return;
      const turn: Promise<void> = this.listen(next)
        .catch((error: unknown) => void (this.failed ??= { error }))
        .finally(() => {
          this.running.delete(turn);
          this.fill();
        });
      this.running.add(turn);
    }
  }

  private async listen(next: Waiting): Promise<void> {
    const leftMs = Math.max(0, next.deadline - Date.now());
    const outcome = await next.job.outcome({ timeoutMs: Math.min(TURN_MS, leftMs) });
    if (outcome.status === 'running' && leftMs > TURN_MS) this.waiting.push(next);
    else await next.onEnd(outcome);
  }
}
