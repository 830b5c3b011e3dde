/** Life of a resolved record, in ticks. A half, so that it never ends at a moment that a test can reach. */
export const LIFE_TICKS = 7.5;

/** How long Redis keeps what it holds of one intent: a resolved record's life begins anew whenever it is written. */
export class Life {
  private raw: string | null = null;
  private until = Infinity;

  /** Redis holds `raw`. Answers the ticks that it has left. */
  left(now: number, { raw, resolved }: { raw: string | null; resolved: boolean }): number {
    if (!resolved) this.until = Infinity;
    else if (raw !== this.raw) this.until = now + LIFE_TICKS;
    this.raw = raw;
    return this.until - now;
  }

  /** Time has passed, nothing was written. Answers whether that was its end. */
  ended(now: number, raw: string | null): boolean {
    this.raw = raw;
    return this.until <= now;
  }

  /** Redis came back with something else: whatever it holds was written anew. */
  lost(): void {
    this.raw = null;
  }
}
