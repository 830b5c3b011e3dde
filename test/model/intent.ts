import type { IntentRef } from '../../src/guard/keys';
import { Ghost } from './ghost';
import { GuardModel } from './guard-model';
import type { GuardRow } from './guard-rows';
import { Life } from './life';
import type { ModelSettings } from './model-record';
import type { Op } from './ops';
import type { StoreModel } from './store-model';

/** One intent of a run: what the table says of it, what was learnt of its requests, and how long Redis keeps it. */
export class Intent {
  readonly ref: IntentRef;
  readonly model: GuardModel;
  readonly ghost: Ghost;
  readonly life = new Life();
  last: (Op & { op: 'admit' }) | undefined;

  constructor(
    number: number,
    {
      venue,
      settings,
      store,
      hit,
    }: {
      venue: string;
      settings: ModelSettings;
      store: StoreModel;
      hit: (row: GuardRow) => void;
    },
  ) {
    this.ref = { venue, jobType: 'order.place', intentId: `i:${number}` };
    this.model = new GuardModel(settings, store, hit);
    this.ghost = new Ghost(settings);
  }

  /** Redis holds `raw` now, for no other reason than that time has passed. */
  passed(now: number, raw: string | null): void {
    if (!this.life.ended(now, raw)) return;
    this.model.forget();
    this.ghost.forgotten(false);
  }
}
