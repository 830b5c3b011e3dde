import type { Logger } from 'pino';
import type { LocalBreakers } from '../breaker/local';
import type { BreakerWatch } from '../breaker/watch';
import type { WorkerNumbers } from '../breaker/worker-numbers';
import type { FillsafeConfig } from '../config/schema';
import type { Effects } from '../guard/effects';
import type { Guard } from '../guard/guard';
import type { Outbox } from '../guard/outbox';
import type { Recorder } from '../metrics/recorder';
import type { RedisWatch } from '../redis/watch';
import type { BreakerTurn } from './breaker-act';
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
  /** How the fleet's breakers stand, as this process knows it. */
  breakerWatch: BreakerWatch;
  /** The breakers of this process alone. */
  locals: LocalBreakers;
  workerNumbers: Pick<WorkerNumbers, 'at'>;
  /** Hears of each change of a breaker that this worker brought about. Never throws. */
  onTurn: (turn: BreakerTurn) => void;
}
