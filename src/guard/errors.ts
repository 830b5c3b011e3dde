/**
 * The attempt did not act and may come back: the breaker is open, another worker is at it, Redis or the venue is away, Redis
 * cannot be trusted, or the claim did not reach its replicas.
 */
export class HeldError extends Error {
  override readonly name = 'HeldError';
  readonly isHeld = true;

  constructor(
    readonly why: 'BREAKER_OPEN' | 'BUSY' | 'STORE_DOWN' | 'STORE_UNSAFE' | 'NOT_REPLICATED' | 'VENUE_AWAY',
    message: string,
    readonly waitMs: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Whether the act happened is not known: it must be looked up before anything else. */
export class DoubtError extends Error {
  override readonly name = 'DoubtError';
  readonly isDoubt = true;
}

/** Only a person can decide what became of the act. */
export class NeedsPersonError extends Error {
  override readonly name = 'NeedsPersonError';
  readonly isNeedsPerson = true;
}

/** The same intent was submitted before with another payload. Nothing was done for this one. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly isConflict = true;
}

/** The act was refused earlier, for good; `refusal` is that refusal. */
export class RefusedBeforeError extends Error {
  override readonly name = 'RefusedBeforeError';
  readonly isRefusedBefore = true;

  constructor(readonly refusal: Refusal) {
    super(refusal.message);
  }
}

/** A final refusal as the record keeps it. */
export interface Refusal {
  category: string;
  message: string;
  code?: number | string;
}

/** Guards go by the tag, not by the class: errors may come from another copy of this package. */
const tagged =
  <T extends Error>(tag: string) =>
  (error: unknown): error is T =>
    typeof error === 'object' && error !== null && tag in error;

export const isHeld = tagged<HeldError>('isHeld');
export const isDoubt = tagged<DoubtError>('isDoubt');
export const isNeedsPerson = tagged<NeedsPersonError>('isNeedsPerson');
export const isConflict = tagged<ConflictError>('isConflict');
export const isRefusedBefore = tagged<RefusedBeforeError>('isRefusedBefore');
