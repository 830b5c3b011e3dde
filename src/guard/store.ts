import type { RunScript } from '../redis/scripts';
import type { guardKeys } from './keys';

/** What is believed of one venue's part of Redis. */
export interface StoreState {
  /** Why claims may have been lost, in words; `''` while there is no suspicion. */
  suspected: string;
  /** Ms until the suspicion ends by itself: from then on no lost request can take effect any more. */
  leftMs: number;
}

interface Seen {
  epoch: string;
  goes: number;
  suspected: string;
}

const NOTHING: Seen = { epoch: '', goes: 0, suspected: '' };

/**
 * Remembers what this process has seen of each venue's part of Redis: its epoch and how many GOs it had given. Sent along
 * with every call, so that the scripts notice a Redis that was emptied, replaced or rolled back before they let anything act.
 */
export class Store {
  private readonly known = new Map<string, Seen>();
  /** Venues whose store was opened, with their quiescence. */
  private readonly opened = new Map<string, number>();

  /** Venues that gave no answer when they were last to be compared. */
  private readonly uncompared = new Set<string>();

  constructor(
    private readonly run: RunScript,
    private readonly get: (key: string) => Promise<string | null>,
    private readonly keys: ReturnType<typeof guardKeys>,
    private readonly onChange: (venue: string, state: StoreState) => void = () => undefined,
  ) {}

  seen(venue: string): Seen {
    return this.known.get(venue) ?? NOTHING;
  }

  /** GOs that these venues' stores had given when last heard of; `undefined` while one was not heard of. */
  goes(venues: readonly string[]): number | undefined {
    const seen = venues.map((venue) => this.seen(venue));
    return seen.some(({ epoch }) => epoch === '') ? undefined : seen.reduce((sum, { goes }) => sum + goes, 0);
  }

  /** Takes in what a script told of the store. */
  learn(venue: string, mark: string): StoreState {
    const [epoch = '', goes = '0', left = '0', why = ''] = mark.split(':');
    const before = this.seen(venue);
    const leftMs = Number(left);
    const suspected = leftMs > 0 ? why : '';
    // Replies may overtake each other: within an epoch only the highest count tells how far Redis had come.
    const count = before.epoch === epoch ? Math.max(before.goes, Number(goes)) : Number(goes);
    this.known.set(venue, { epoch, goes: count, suspected });
    const state = { suspected, leftMs };
    if (suspected !== before.suspected) this.onChange(venue, state);
    return state;
  }

  /**
   * Compares a venue's store with what was seen of it, and makes it where there is none: a lost one, unless `neverUsed` says
   * that no act was ever done there. Throws `StoreUnavailableError`.
   */
  async open(venue: string, { quiesceMs, neverUsed = false }: { quiesceMs: number; neverUsed?: boolean }) {
    const { epoch, goes } = this.seen(venue);
    this.opened.set(venue, quiesceMs);
    const [mark = ''] = await this.run(
      'open-store',
      [this.keys.store(venue)],
      [epoch, goes, quiesceMs, neverUsed ? 1 : 0],
    );
    return this.learn(venue, mark);
  }

  /**
   * Compares every opened store again. Called on each new connection, which may lead to a Redis that has lost data: acts of
   * workers that had seen less would bring the count of GOs up again, and nobody would notice.
   */
  compare(venues: Iterable<string> = this.opened.keys()): void {
    for (const venue of [...venues]) {
      // One that gives no answer is compared by its next act, or when asked again.
      this.uncompared.add(venue);
      this.open(venue, { quiesceMs: this.opened.get(venue) ?? 0 }).then(
        () => this.uncompared.delete(venue),
        () => undefined,
      );
    }
  }

  /** Compares those that gave no answer, if any. */
  compareAgain(): void {
    if (this.uncompared.size > 0) this.compare(this.uncompared);
  }

  /** What is believed of a venue's store, for people; `undefined` where there is none. Changes nothing. */
  async read(venue: string): Promise<StoreState | undefined> {
    const raw = await this.get(this.keys.store(venue));
    if (raw === null) return undefined;
    const [, , , suspectUntil = '0', why = ''] = raw.split('\n');
    // For display only: this machine's clock stands in for that of Redis.
    const leftMs = Math.max(Number(suspectUntil) - Date.now(), 0);
    return { suspected: leftMs > 0 ? why : '', leftMs };
  }

  /** A person vouches for what Redis holds; kept in the audit. Answers `false` where there is no store yet. */
  async trust(venue: string, { actor, reason }: { actor: string; reason: string }): Promise<boolean> {
    const keys = [this.keys.store(venue), this.keys.audit(venue)];
    const [mark = ''] = await this.run('trust-store', keys, [actor, reason]);
    if (mark === 'ABSENT') return false;
    this.learn(venue, mark);
    return true;
  }
}
