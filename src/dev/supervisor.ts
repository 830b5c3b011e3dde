import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildExit } from './child';

/** One running process of a stack. */
export interface Supervised {
  pid: number | undefined;
  exited: Promise<ChildExit>;
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 10_000;
/** Who ran this long starts anew with the shortest pause. */
const STEADY_MS = 30_000;

/** Keeps one process of the stack running: starts it again when it ends, after longer pauses when it ends at once. */
export class Supervisor<T extends Supervised> {
  private stopping = false;
  private running: T | undefined;
  private loop: Promise<void> | undefined;

  constructor(
    private readonly name: string,
    private readonly start: () => Promise<T>,
    private readonly options: { log(line: string): void },
  ) {}

  /** Starts it for the first time; throws when that fails. */
  async begin(): Promise<T> {
    const first = await this.start();
    this.running = first;
    this.loop = this.watch(first);
    return first;
  }

  get pid(): number | undefined {
    return this.running?.pid;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running?.stop();
    await this.loop;
  }

  private async watch(first: T): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    let startedAt = performance.now();
    for (let running: T | undefined = first; ;) {
      if (running) {
        const { code, signal } = await running.exited;
        if (this.stopping) return;
        this.options.log(`${this.name} ended (${signal ?? `exit ${code}`}); starting it again`);
      }
      if (performance.now() - startedAt > STEADY_MS) pause = FIRST_PAUSE_MS;
      await sleep(pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      if (this.stopping) return;
      startedAt = performance.now();
      running = await this.start().catch((error: unknown) => {
        this.options.log(`${this.name}: ${(error as Error).message}`);
        return undefined;
      });
      this.running = running;
      if (!running) continue;
      if (this.stopping) return running.stop();
      this.options.log(`${this.name} is back (pid ${running.pid})`);
    }
  }
}
