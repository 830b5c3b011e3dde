import type { Logger } from 'pino';
import type { FillsafeConfig } from '../config/schema';
import type { JobType } from '../domain/job-types';
import type { JobInput } from '../domain/order.schema';
import type { Effect } from '../guard/effect';
import type { Guard } from '../guard/guard';
import type { Outbox } from '../guard/outbox';
import type { Recorder } from '../metrics/recorder';

/** What the activity interceptors of one worker share. */
export interface Runtime {
  config: FillsafeConfig;
  guard: Guard;
  recorder: Recorder;
  outbox: Outbox;
  log: Logger;
  effects: { readonly [T in JobType]: Effect<JobInput> };
}
