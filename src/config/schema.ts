import { z } from 'zod';
import { ALL } from '../breaker/scope';
import { BOOKS, isWellFormedJobType, JOB_TYPE_RULE } from '../domain/job-types';
import { redisSchema } from './redis-schema';

const positive = z.number().int().positive();
const enabled = z.strictObject({ enabled: z.boolean() });
const notYet = (what: string) =>
  z.strictObject({ enabled: z.literal(false, { error: `${what} is not available yet: only false is allowed` }) });

const breakerSettings = z.strictObject({
  window_seconds: positive,
  minimum_calls: positive,
  failure_ratio: z.number().gt(0).lte(1),
  slow_ms: z.number().int().min(0),
  slow_ratio: z.number().min(0).lte(1),
  failures_in_row: z.number().int().min(0),
  quorum: positive,
  open_seconds: positive,
  maximum_open_seconds: positive,
  permits: positive,
  permit_seconds: positive,
  successes_to_close: positive,
  ramp_seconds: positive,
  reopen_per_second: z.number().positive(),
});

const ownPolicy = z.strictObject({
  schedule_to_close_seconds: positive,
  start_to_close_seconds: positive,
  heartbeat_seconds: positive,
  initial_interval_ms: positive,
  maximum_interval_ms: positive,
  most_sends: positive,
});
const orderPolicy = ownPolicy.extend({ on_absent: z.enum(['fail', 'resend', 'manual']) });

const venueTimes = {
  recv_window_ms: positive.max(60_000),
  timeout_ms: positive.min(11_000, {
    error: 'must be at least 11000: the venue may take 10 s to say how a request ended',
  }),
  processing_bound_ms: positive,
  clock_error_ms: positive,
  send_within_ms: positive,
};

const lane = z.enum(['paper', 'live']);

const venue = z.strictObject({
  adapter: z.enum(['paper', 'binance-spot'], {
    error: ({ input }) =>
      input === 'binance-usdm'
        ? 'binance-usdm is not available yet: use paper or binance-spot'
        : 'use paper or binance-spot',
  }),
  base_url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }),
  api_key: z.string(),
  api_secret: z.string(),
  /** Lane of the venue; that of the whole configuration where it is not given. */
  lane: lane.optional(),
  ...z.strictObject(venueTimes).partial().shape,
});

const venueName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, {
    error: 'a venue is named by lower-case letters, digits and dashes, at most 32',
  })
  .refine((name) => name !== BOOKS, { error: `"${BOOKS}" names what concerns no venue: call it otherwise` })
  .refine((name) => name !== ALL, { error: `"${ALL}" is the breaker of every venue: call it otherwise` });
// Job types that people define are known only when a worker starts: here any well-formed name may be one.
const jobType = z.string().refine(isWellFormedJobType, { error: `a job type ${JOB_TYPE_RULE}` });

/** Settings of fillsafe's own job types, of `default`, and, laid over `default`, of those that people define. */
const policies = z
  .object({ 'order.place': orderPolicy, 'order.cancel': orderPolicy, default: ownPolicy })
  .catchall(ownPolicy.partial())
  .superRefine((policy, context) => {
    for (const name of Object.keys(policy))
      if (name !== 'default' && !isWellFormedJobType(name))
        context.addIssue({ code: 'custom', path: [name], message: `a job type ${JOB_TYPE_RULE}` });
  });

/** The whole configuration: `config/default.yaml` with file, environment and flags laid over it. Unknown keys are refused. */
export const configSchema = z.strictObject({
  lane,
  mode: z.enum(['off', 'observe', 'enforce']),
  temporal: z.strictObject({
    address: z.string().nullable(),
    namespace: z.string().nullable(),
    connect_timeout_ms: positive,
  }),
  redis: redisSchema,
  ledger: z.strictObject({ url: z.string().nullable() }),
  metrics: z.strictObject({ port: z.number().int().min(0).max(65_535), host: z.string() }),
  worker: z.strictObject({ concurrency: positive, shutdown_grace_seconds: positive }),
  venues: z.record(venueName, venue),
  venue_defaults: z.strictObject(venueTimes),
  retry: z.strictObject({
    circuit_breaker: z.strictObject({
      ...enabled.shape,
      ...breakerSettings.shape,
      venue: breakerSettings.partial(),
      look_up: breakerSettings.partial(),
      account: breakerSettings.partial(),
      job_types: z.record(jobType, breakerSettings.partial()),
    }),
    metrics: enabled,
    redis: z.strictObject({
      namespace: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, {
        error: 'letters, digits, dots, dashes and underscores, at most 64: it begins every Redis key',
      }),
      ttl_seconds: positive,
    }),
    policy: policies,
    look_up: z.strictObject({
      agreeing_looks: positive.min(2, { error: 'one look proves nothing: at least 2 must agree' }),
      gap_ms: positive.min(2_000, { error: 'looks closer than 2000 ms may see the same stale answer' }),
      start_to_close_seconds: positive,
      initial_interval_ms: positive,
      maximum_interval_ms: positive,
      most_looks: positive,
    }),
  }),
  adaptive: notYet('adaptive retry'),
  leaderboard: notYet('the leaderboard'),
  hybrid: notYet('the hybrid mode'),
});

export type FillsafeConfig = z.infer<typeof configSchema>;
