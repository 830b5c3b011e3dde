import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LOOK_UP_LEVEL, VENUE_LEVEL } from '../breaker/scope';
import { BREAKER_STATES } from '../breaker/snapshot';
import { JOB_TYPES, type Place } from '../domain/job-types';
import { FAILURE_CATEGORIES } from '../failures/categories';

// The only place where metric names exist, and the only import of prom-client. The registry is our own: the library's
// global one would mix with whatever else the process measures.

export const ATTEMPT_OUTCOMES = ['success', 'failure', 'blocked', 'cancelled'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

export const BLOCK_REASONS = [
  'circuit_open',
  'duplicate_in_progress',
  'outcome_unknown',
  'store_down',
  'store_unsafe',
  'not_replicated',
  'venue_away',
  'conflict',
  'expired',
  'invalid',
  'manual',
] as const;
export type BlockReason = (typeof BLOCK_REASONS)[number];

const SIDE_EFFECT_RESULTS = ['executed', 'unguarded', 'replayed', 'unknown', 'resolved'] as const;
export type SideEffectResult = (typeof SIDE_EFFECT_RESULTS)[number];
const DETECTED_BY = ['fencing', 'exchange', 'ledger'] as const;
export type DetectedBy = (typeof DETECTED_BY)[number];
const GUARD_OPERATIONS = ['admit', 'settle', 'look'] as const;
export type GuardOperation = (typeof GUARD_OPERATIONS)[number];
const GUARD_RESULTS = ['ok', 'replay', 'busy', 'unknown', 'open', 'conflict', 'manual', 'fenced', 'error'] as const;
export type GuardResult = (typeof GUARD_RESULTS)[number];
const KINDS = ['first', 'retry'] as const;
export const HELD_BY = ['venue', 'open', 'closed', 'kill'] as const;
export type HeldBy = (typeof HELD_BY)[number];
const REDIS_MEMORY = ['used', 'limit', 'budget', 'forecast'] as const;

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60];

/**
 * All metrics on a registry of their own, every closed label set at zero: a rate over a series born at 1 misses its first
 * event. `own` is where the effects that people defined may act: job types are those known at start and no others.
 */
export function createMetrics(venues: readonly string[], own: readonly Place[] = []) {
  const registry = new Registry();
  const registers = [registry];
  const metrics = {
    registry,
    attempts: new Counter({
      name: 'fillsafe_activity_attempts_total',
      help: 'Attempts that ended, by what became of them',
      labelNames: ['job_type', 'kind', 'outcome'] as const,
      registers,
    }),
    attemptSeconds: new Histogram({
      name: 'fillsafe_activity_attempt_duration_seconds',
      help: 'How long attempts took',
      labelNames: ['job_type', 'outcome'] as const,
      buckets: SECONDS,
      registers,
    }),
    blocked: new Counter({
      name: 'fillsafe_attempts_blocked_total',
      help: 'Attempts that were not let through to the act, by reason',
      labelNames: ['job_type', 'kind', 'reason'] as const,
      registers,
    }),
    wouldBlock: new Counter({
      name: 'fillsafe_acts_would_block_total',
      help: 'Acts let through that a breaker would have held: it only observes, or people forced it closed',
      labelNames: ['job_type'] as const,
      registers,
    }),
    failures: new Counter({
      name: 'fillsafe_failures_total',
      help: 'Failures of acts, by category',
      labelNames: ['job_type', 'category'] as const,
      registers,
    }),
    sideEffects: new Counter({
      name: 'fillsafe_side_effects_total',
      help: 'Acts done, done without the guard, answered again from the record, left in doubt, and doubts resolved',
      labelNames: ['job_type', 'result'] as const,
      registers,
    }),
    duplicates: new Counter({
      name: 'fillsafe_side_effect_duplicates_total',
      help: 'Acts that really happened twice. A replay is not one',
      labelNames: ['job_type', 'detected_by'] as const,
      registers,
    }),
    breakerState: new Gauge({
      name: 'fillsafe_circuit_breaker_state',
      help: '1 for the state that the breaker of a venue and job type is in, 0 for the others; the job type of all of a venue is venue, that of its look-ups look-up',
      labelNames: ['venue', 'job_type', 'state'] as const,
      registers,
    }),
    breakerHeld: new Gauge({
      name: 'fillsafe_circuit_breaker_held',
      help: '1 while the breaker of a venue and job type is held by the venue itself (429, 418, a refused key), forced open or closed, or killed',
      labelNames: ['venue', 'job_type', 'by'] as const,
      registers,
    }),
    breakerTransitions: new Counter({
      name: 'fillsafe_circuit_breaker_transitions_total',
      help: 'Changes of breaker state that this worker brought about',
      labelNames: ['venue', 'job_type', 'to'] as const,
      registers,
    }),
    gateShut: new Gauge({
      name: 'fillsafe_queue_gate_shut',
      help: '1 while this worker takes nothing from the queue of a venue and job type, as a breaker holds it',
      labelNames: ['venue', 'job_type'] as const,
      registers,
    }),
    guardOperations: new Counter({
      name: 'fillsafe_idempotency_operations_total',
      help: 'Calls of the guard, by answer',
      labelNames: ['operation', 'result'] as const,
      registers,
    }),
    guardSeconds: new Histogram({
      name: 'fillsafe_idempotency_operation_duration_seconds',
      help: 'How long the guard took to answer',
      labelNames: ['operation'] as const,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
      registers,
    }),
    unresolved: new Gauge({
      name: 'fillsafe_outcome_unknown_jobs',
      help: 'Intents of a venue whose outcome nobody knows yet, those that wait for a person included',
      labelNames: ['venue'] as const,
      registers,
    }),
    storeSuspected: new Gauge({
      name: 'fillsafe_store_suspected',
      help: '1 while Redis may have lost claims of a venue: every act is looked up before it leaves',
      labelNames: ['venue'] as const,
      registers,
    }),
    workerReady: new Gauge({ name: 'fillsafe_worker_ready', help: '1 while the worker takes jobs', registers }),
    redisUp: new Gauge({ name: 'fillsafe_redis_up', help: '1 while Redis answers', registers }),
    redisSafe: new Gauge({
      name: 'fillsafe_redis_safe',
      help: '1 while Redis can be trusted; else no act that needs the guard is admitted',
      registers,
    }),
    redisWarnings: new Gauge({
      name: 'fillsafe_redis_warnings',
      help: 'What weakens the promise of Redis, as the log and doctor say',
      registers,
    }),
    redisEvictedKeys: new Gauge({
      name: 'fillsafe_redis_evicted_keys',
      help: 'Keys that Redis threw away since its counters were reset',
      registers,
    }),
    redisMemory: new Gauge({
      name: 'fillsafe_redis_memory_bytes',
      help: 'Memory of Redis: used, its limit (0: none), the budget, and what records come to at the present rate',
      labelNames: ['kind'] as const,
      registers,
    }),
  };

  const places = [...venues.flatMap((venue) => JOB_TYPES.map((jobType) => ({ venue, jobType }))), ...own];
  metrics.wouldBlock.inc({ job_type: LOOK_UP_LEVEL }, 0);
  for (const job_type of new Set([...JOB_TYPES, ...own.map(({ jobType }) => jobType)])) {
    for (const outcome of ATTEMPT_OUTCOMES) {
      for (const kind of KINDS) metrics.attempts.inc({ job_type, kind, outcome }, 0);
      metrics.attemptSeconds.zero({ job_type, outcome });
    }
    for (const reason of BLOCK_REASONS) for (const kind of KINDS) metrics.blocked.inc({ job_type, kind, reason }, 0);
    metrics.wouldBlock.inc({ job_type }, 0);
    for (const category of FAILURE_CATEGORIES) metrics.failures.inc({ job_type, category }, 0);
    for (const result of SIDE_EFFECT_RESULTS) metrics.sideEffects.inc({ job_type, result }, 0);
    for (const detected_by of DETECTED_BY) metrics.duplicates.inc({ job_type, detected_by }, 0);
  }
  for (const { venue, jobType: job_type } of places) {
    metrics.unresolved.set({ venue }, 0);
    metrics.storeSuspected.set({ venue }, 0);
    metrics.gateShut.set({ venue, job_type }, 0);
    for (const level of [VENUE_LEVEL, LOOK_UP_LEVEL, job_type]) {
      for (const by of HELD_BY) metrics.breakerHeld.set({ venue, job_type: level, by }, 0);
      for (const state of BREAKER_STATES) {
        metrics.breakerState.set({ venue, job_type: level, state }, state === 'CLOSED' ? 1 : 0);
        metrics.breakerTransitions.inc({ venue, job_type: level, to: state }, 0);
      }
    }
  }
  for (const kind of REDIS_MEMORY) metrics.redisMemory.set({ kind }, 0);
  for (const operation of GUARD_OPERATIONS) {
    for (const result of GUARD_RESULTS) metrics.guardOperations.inc({ operation, result }, 0);
    metrics.guardSeconds.zero({ operation });
  }
  return metrics;
}

export type Metrics = ReturnType<typeof createMetrics>;
