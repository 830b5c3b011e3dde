import { same, TICK_MS } from './compare';
import type { ModelRecord } from './model-record';
import type { Op } from './ops';
import { VENUE, type Run } from './run';
import type { StoreModel } from './store-model';

/** What happens to a venue's part of Redis as a whole: each step on both sides. */
export class StoreSteps {
  private saved: { records: (ModelRecord | undefined)[]; store: StoreModel['state'] } | undefined;

  constructor(private readonly run: Run) {}

  async open(op: Op & { op: 'open' }): Promise<void> {
    const { guard, seen } = this.run.worker(op.worker);
    const { quiesceTicks } = this.run.options.settings;
    // Nobody can vouch for a store of which something was seen.
    const neverUsed = op.neverUsed && this.run.going === 0;
    const state = await guard.store.open(VENUE, { quiesceMs: quiesceTicks * TICK_MS, neverUsed });
    this.run.readStore(seen, neverUsed);
    this.run.store.learn(seen);
    same(state.suspected !== '', this.run.store.suspected(this.run.now));
  }

  async flush(): Promise<void> {
    await this.run.world.flush();
    this.becomes(undefined);
  }

  async save(): Promise<void> {
    await this.run.world.save();
    const records = this.run.intents.map(({ model }) => model.record);
    this.saved = structuredClone({ records, store: this.run.store.state });
  }

  async rollBack(): Promise<void> {
    await this.run.world.rollBack();
    if (this.saved) this.becomes(structuredClone(this.saved));
  }

  async trust(): Promise<void> {
    const { guard, seen } = this.run.worker(0);
    const expected = this.run.store.trust();
    expect(await guard.store.trust(VENUE, { actor: 'ada', reason: 'looked' })).toBe(expected);
    if (!expected) return;
    this.run.store.learn(seen);
    for (const { ghost } of this.run.intents) ghost.storeTrusted();
  }

  private becomes(now: { records: (ModelRecord | undefined)[]; store: StoreModel['state'] } | undefined): void {
    this.run.store.state = now?.store;
    this.run.intents.forEach(({ model, ghost, life }, i) => {
      life.lost();
      model.record = now?.records[i];
      ghost.storeChanged(model.record);
    });
  }
}
