import { duration } from './output';

export interface Tally {
  read: number;
  started: number;
  done: number;
  refused: number;
  manual: number;
}

const BAR_WIDTH = 28;
const EVERY_MS = { terminal: 120, log: 10_000 };

/** Progress of a batch on stderr: a bar on a terminal, else a line now and then. */
export class Progress {
  private readonly startedAt = Date.now();
  private readonly timer: NodeJS.Timeout;
  private drawn = false;

  constructor(
    private readonly tally: Tally,
    /** How many there will be, where that is known. */
    private readonly expected: number | undefined,
    private readonly options: { waits: boolean; terminal?: boolean },
  ) {
    this.timer = setInterval(() => this.draw(), this.terminal ? EVERY_MS.terminal : EVERY_MS.log);
    this.timer.unref();
  }

  /** Takes the bar away, so that what is printed next begins on a line of its own. */
  clear(): void {
    if (this.terminal && this.drawn) process.stderr.write('\r\x1b[K');
    this.drawn = false;
  }

  end(): void {
    clearInterval(this.timer);
    this.clear();
  }

  private get terminal(): boolean {
    return this.options.terminal ?? process.stderr.isTTY;
  }

  private draw(): void {
    if ((this.expected ?? this.tally.read) <= 1) return;
    const text = progressText(this.tally, this.expected, { ...this.options, elapsedMs: Date.now() - this.startedAt });
    process.stderr.write(this.terminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.drawn = true;
  }
}

/** `[#####-----] 120 of 358 jobs ended, 2 refused, 12 s`. */
export function progressText(
  tally: Tally,
  expected: number | undefined,
  { waits, elapsedMs }: { waits: boolean; elapsedMs: number },
): string {
  const ended = tally.done + tally.refused + tally.manual;
  const at = waits ? ended : Math.max(tally.started, ended);
  const total = expected ?? tally.read;
  const filled = total === 0 ? 0 : Math.min(BAR_WIDTH, Math.round((BAR_WIDTH * at) / total));
  const bar = expected === undefined ? '' : `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] `;
  const of = expected === undefined ? '' : ` of ${expected}`;
  const parts = [`${at}${of} jobs ${waits ? 'ended' : 'started'}`];
  if (waits && tally.started > ended) parts.push(`${tally.started - ended} under way`);
  if (tally.refused > 0) parts.push(`${tally.refused} refused`);
  if (tally.manual > 0) parts.push(`${tally.manual} waiting for a person`);
  return `${bar}${parts.join(', ')}, ${duration(elapsedMs)}`;
}
