import type { StoreRow } from './guard-rows';

/** What a worker remembers of the store. */
export interface ModelSeen {
  epoch: number;
  goes: number;
}

/** One venue's store as plain TypeScript: when Redis is suspected to have lost claims. */
export class StoreModel {
  state: { epoch: number; goes: number; suspectUntil: number } | undefined;
  private epochs = 0;

  constructor(
    private readonly quiesceTicks: number,
    private readonly hit: (row: StoreRow) => void,
  ) {}

  /** A worker calls: what it has seen is compared with what there is, and it learns what there is now. */
  read(now: number, seen: ModelSeen, neverUsed = false): void {
    if (!this.state) {
      this.epochs += 1;
      this.state = { epoch: this.epochs, goes: seen.goes, suspectUntil: 0 };
      if (neverUsed) this.hit('store: missing, never used → trusted');
      else this.suspect(now, 'store: missing → suspected');
    } else if (seen.epoch !== 0 && seen.epoch !== this.state.epoch) {
      this.suspect(now, 'store: another epoch → suspected');
    } else if (seen.goes > this.state.goes) {
      this.state.goes = seen.goes;
      this.suspect(now, 'store: fewer GOs than seen → suspected');
    }
  }

  learn(seen: ModelSeen): void {
    const { epoch = 0, goes = 0 } = this.state ?? {};
    seen.goes = seen.epoch === epoch ? Math.max(seen.goes, goes) : goes;
    seen.epoch = epoch;
  }

  suspect(now: number, row: StoreRow): void {
    this.hit(row);
    if (!this.state) {
      this.epochs += 1;
      this.state = { epoch: this.epochs, goes: 0, suspectUntil: 0 };
    }
    this.state.suspectUntil = Math.max(this.state.suspectUntil, now + this.quiesceTicks);
  }

  suspected(now: number): boolean {
    return now < this.until;
  }

  get until(): number {
    return this.state?.suspectUntil ?? 0;
  }

  go(): void {
    if (this.state) this.state.goes += 1;
  }

  trust(): boolean {
    if (!this.state) return false;
    this.hit('store: a person vouches → trusted');
    this.state.suspectUntil = 0;
    return true;
  }
}
