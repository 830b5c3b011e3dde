import type { Logger } from 'pino';
import type { FillsafeConfig } from '../config/schema';
import type { Effects } from '../guard/effects';
import type { Guard } from '../guard/guard';
import type { Outbox } from '../guard/outbox';
import type { Recorder } from '../metrics/recorder';
import type { RedisWatch } from '../redis/watch';
import type { Crowd } from './crowd';

/** What the activity interceptors of one worker share. */
export interface Runtime {
  config: FillsafeConfig;
  guard: Guard;
  watch: Pick<RedisWatch, 'unsafe' | 'ended'>;
  recorder: Recorder;
  outbox: Outbox;
  crowd: Crowd;
  log: Logger;
  effects: Effects;
}
