/**
 * Delay before the next attempt, ms: doubles from `initialMs` up to `maximumMs`, with up to a fifth taken off at random so
 * that jobs that failed together do not come back together.
 */
export function backoffMs(
  attempt: number,
  { initialMs, maximumMs }: { initialMs: number; maximumMs: number },
  random: () => number = Math.random,
): number {
  const full = Math.min(initialMs * 2 ** Math.min(attempt - 1, 30), maximumMs);
  return Math.round(full * (1 - random() / 5));
}

/**
 * Keeps a delay inside the job's deadline: Temporal ends an activity at once when the next attempt would begin after it.
 * Answers `undefined` when there is no time left for another attempt.
 */
export function clampDelay(delayMs: number, remainingMs: number | undefined, marginMs = 2_000): number | undefined {
  if (remainingMs === undefined) return delayMs;
  const room = remainingMs - marginMs;
  return room <= 0 ? undefined : Math.min(delayMs, room);
}
