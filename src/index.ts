// The library's door. What is not named here is not part of the library and may change in any version. The Redis guard, the
// breaker and the interceptors are not: they only keep their promise together, and the plugin puts them together.

export { createFillsafePlugin, type FillsafePluginOptions, type FillsafeWorkerPlugin } from './worker/create-plugin';

export { connectFillsafe, type ConnectFillsafeOptions } from './client/connect';
export { refusalOf, type FillsafeClient, type JobOutcome, type SubmittedJob } from './client/client';
export type { CancelOrderInput, Fill, OrderResult, OrderState, PlaceOrderInput } from './domain/order';
export {
  defineEffect,
  notApplied,
  refused,
  type EffectDefinition,
  type EffectTicket,
  type RefusalCategory,
  type WhenUnknown,
} from '../activities';
export type { Look, Sighting } from './guard/effect';

export type { DecimalString } from './domain/decimal';
export type { JobType } from './domain/job-types';
export type { EffectResult, JobStatus, Resolution } from './domain/job-plan';

export { classifyFailure } from './failures/classify';
export {
  FAILURE_CATEGORIES,
  type FailureCategory,
  type FailureInput,
  type FailureVerdict,
  type RequestPhase,
  type VenueOperation,
} from './failures/categories';

export { loadConfig, ConfigError } from './config/load';
export type { FillsafeConfig } from './config/schema';

export { isConfigError, isTemporalUnreachable, isUnsafeRedis } from './error-guards';
export { TemporalUnreachableError } from './client/temporal';
export { InvalidInputError, isInvalidInput } from './domain/order.schema';
export { isVenueRefused, VenueRefusedError } from './domain/lane';
export { UnsafeRedisError } from './redis/safety';
