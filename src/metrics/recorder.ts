import { performance } from 'node:perf_hooks';
import { BREAKER_STATES } from '../breaker/snapshot';
import { FAILURE_CATEGORIES, type FailureCategory } from '../failures/categories';
import type { Place } from '../domain/job-types';
import type { RedisSafety } from '../redis/safety';
import {
  HELD_BY,
  type AttemptOutcome,
  type BlockReason,
  type DetectedBy,
  type GuardOperation,
  type GuardResult,
  type HeldBy,
  type Metrics,
  type SideEffectResult,
} from './catalog';

/** Counts what happens. Never throws: a mistake in measuring must not fail an act. `onError` hears of it. */
export class Recorder {
  constructor(
    private readonly metrics: Metrics | undefined,
    private readonly onError: (error: unknown) => void,
  ) {}

  attemptEnded(job_type: string, attempt: number, outcome: AttemptOutcome, seconds: number): void {
    this.safely((metrics) => {
      metrics.attempts.inc({ job_type, kind: kindOf(attempt), outcome });
      metrics.attemptSeconds.observe({ job_type, outcome }, seconds);
    });
  }

  blocked(job_type: string, attempt: number, reason: BlockReason): void {
    this.safely((metrics) => metrics.blocked.inc({ job_type, kind: kindOf(attempt), reason }));
  }

  wouldBlock(job_type: string): void {
    this.safely((metrics) => metrics.wouldBlock.inc({ job_type }));
  }

  gate({ venue, jobType: job_type }: Place, isShut: boolean): void {
    this.safely((metrics) => metrics.gateShut.set({ venue, job_type }, isShut ? 1 : 0));
  }

  failed(job_type: string, category: string): void {
    if (!(FAILURE_CATEGORIES as readonly string[]).includes(category)) return;
    this.safely((metrics) => metrics.failures.inc({ job_type, category: category as FailureCategory }));
  }

  sideEffect(job_type: string, result: SideEffectResult): void {
    this.safely((metrics) => metrics.sideEffects.inc({ job_type, result }));
  }

  duplicate(job_type: string, detected_by: DetectedBy): void {
    this.safely((metrics) => metrics.duplicates.inc({ job_type, detected_by }));
  }

  /** `level`: a job type, `venue` or `look-up`; accounts are the callers' to name, and no label. */
  breaker(venue: string, level: string, state: string): void {
    if (level.startsWith('account:')) return;
    const job_type = level;
    this.safely((metrics) => {
      for (const each of BREAKER_STATES)
        metrics.breakerState.set({ venue, job_type, state: each }, each === state ? 1 : 0);
    });
  }

  /** What venue or people say of a level beside its state; `undefined` where they say nothing. */
  breakerHeld(venue: string, job_type: string, by: HeldBy | undefined): void {
    this.safely((metrics) => {
      for (const each of HELD_BY) metrics.breakerHeld.set({ venue, job_type, by: each }, each === by ? 1 : 0);
    });
  }

  breakerTurned(venue: string, job_type: string, to: string): void {
    this.breaker(venue, job_type, to);
    if (job_type.startsWith('account:')) return;
    this.safely((metrics) => metrics.breakerTransitions.inc({ venue, job_type, to }));
  }

  redisChecked({ problems, warnings, readings, memory }: RedisSafety): void {
    this.safely((metrics) => {
      metrics.redisSafe.set(problems.length === 0 ? 1 : 0);
      metrics.redisWarnings.set(warnings.length);
      metrics.redisEvictedKeys.set(readings.reduce((sum, { evictedKeys = 0 }) => sum + evictedKeys, 0));
      metrics.redisMemory.set({ kind: 'used' }, memory.usedBytes ?? 0);
      metrics.redisMemory.set({ kind: 'limit' }, memory.limitBytes);
      metrics.redisMemory.set({ kind: 'budget' }, memory.budgetBytes);
      metrics.redisMemory.set({ kind: 'forecast' }, memory.forecastBytes ?? 0);
    });
  }

  /** Times and counts one call of the guard. */
  async guard<T>(operation: GuardOperation, resultOf: (answer: T) => GuardResult, call: () => Promise<T>): Promise<T> {
    const from = performance.now();
    let result: GuardResult = 'error';
    try {
      const answer = await call();
      result = resultOf(answer);
      return answer;
    } finally {
      this.safely((metrics) => {
        metrics.guardOperations.inc({ operation, result });
        metrics.guardSeconds.observe({ operation }, (performance.now() - from) / 1_000);
      });
    }
  }

  private safely(record: (metrics: Metrics) => void): void {
    if (!this.metrics) return;
    try {
      record(this.metrics);
    } catch (error) {
      this.onError(error);
    }
  }
}

function kindOf(attempt: number): 'first' | 'retry' {
  return attempt > 1 ? 'retry' : 'first';
}
