import { createHash } from 'node:crypto';
import type { RedisConnection } from './client-options';
import { scriptText } from './scripts';

/** The answer of a script whose write must survive a failover. */
export interface ReplicatedReply {
  reply: string[];
  /** Why its write may be on too few replicas; `''` when it is on enough. */
  missing: string;
}

interface Waiting {
  /** Scripts of one batch go to one primary. */
  venue: string;
  command: (string | number)[];
  resolve: (answer: ReplicatedReply) => void;
  reject: (error: unknown) => void;
}

/**
 * Runs admissions whose claims count only when enough replicas have them: a batch of scripts and one wait for them all.
 *
 * WAIT speaks of the writes of its own connection alone, and one that follows a reconnect speaks of nothing and is content
 * at once. So the scripts of a batch and their WAIT leave as one pipeline on a connection that has no other use: the client
 * library sends a pipeline again from its start or not at all. A script that the server has lost is no reason to send it
 * once more behind the WAIT, as the library would: the batch that answers NOSCRIPT has claimed nothing and goes again.
 *
 * WAIT blocks its connection; what comes meanwhile makes the next batch. A crash here leaves claims that nobody acts on,
 * as a crash after any admission does.
 */
export class ReplicatedAdmissions {
  private readonly text = scriptText('admit');
  private readonly sha = createHash('sha1').update(this.text).digest('hex');
  private waiting: Waiting[] = [];
  private isBusy = false;
  private isLoaded = false;

  constructor(
    private readonly redis: RedisConnection,
    private readonly options: {
      /** Replicas that must have the claim. */
      waitFor: number;
      /** For each of the two waits, in memory and on disk. */
      timeoutMs: number;
      /** Whether they and the primary must have it on disk too (WAITAOF, from Redis 7.2). */
      toDisk: () => boolean;
    },
  ) {}

  admit(venue: string, keys: string[], args: (string | number)[]): Promise<ReplicatedReply> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ venue, command: [keys.length, ...keys, ...args], resolve, reject });
      void this.drain();
    });
  }

  private async drain(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      const { venue } = first;
      const batch = this.waiting.filter((each) => each.venue === venue);
      this.waiting = this.waiting.filter((each) => each.venue !== venue);
      await this.run(batch).catch((error: unknown) => batch.forEach(({ reject }) => reject(error)));
    }
    this.isBusy = false;
  }

  private async run(batch: Waiting[]): Promise<void> {
    const { waitFor, timeoutMs, toDisk } = this.options;
    const pipeline = this.redis.pipeline();
    const wasLoaded = this.isLoaded;
    for (const [i, { command }] of batch.entries()) {
      if (i === 0 && !wasLoaded) pipeline.call('EVAL', this.text, ...command);
      else pipeline.call('EVALSHA', this.sha, ...command);
    }
    pipeline.call('WAIT', waitFor, timeoutMs);
    // A replica that is asked in the same breath as it is written to says what was on its disk before, and tells no more
    // for a second. Asked after it has the claims, it answers at once.
    if (toDisk()) pipeline.call('WAITAOF', 1, waitFor, timeoutMs);
    const replies = (await pipeline.exec()) ?? [];
    this.isLoaded = true;
    const missing = this.missing(replies.at(-1));
    for (const [i, each] of batch.entries()) {
      const [error, reply] = replies[i] ?? [new Error('no reply')];
      if (!error) each.resolve({ reply: reply as string[], missing });
      else if (error.message.startsWith('NOSCRIPT') && wasLoaded) {
        this.isLoaded = false;
        this.waiting.push(each);
      } else each.reject(error);
    }
  }

  private missing([error, reply]: [error: Error | null, result: unknown] = [new Error('no reply'), undefined]): string {
    const { waitFor, timeoutMs } = this.options;
    if (error) return `Redis did not say whether replicas have the claim: ${error.message}`;
    const [onDisk, copies] = Array.isArray(reply) ? (reply as number[]) : [1, reply as number];
    if (onDisk === 0) return `the claim was not on the primary's disk after ${timeoutMs} ms`;
    return Number(copies) >= waitFor ? '' : `${copies} of ${waitFor} replicas had the claim after ${timeoutMs} ms`;
  }
}
