import type { TemporalUnreachableError } from './client/temporal';
import type { ConfigError } from './config/load';
import type { UnsafeRedisError } from './redis/safety';

// Guards go by name, not by class: errors may come from another copy of this package or another realm.
const named =
  <T extends Error>(name: T['name']) =>
  (error: unknown): error is T =>
    typeof error === 'object' && error !== null && 'name' in error && error.name === name;

/** Whether the configuration cannot be used; `problems` name each setting, what is wrong and what is allowed. */
export const isConfigError = named<ConfigError>('ConfigError');

/** Whether Temporal did not answer; the message says where it was looked for and what to do. */
export const isTemporalUnreachable = named<TemporalUnreachableError>('TemporalUnreachableError');

/** Whether this Redis would lose claims, so that nothing was started on it; `problems` name the settings to change. */
export const isUnsafeRedis = named<UnsafeRedisError>('UnsafeRedisError');
