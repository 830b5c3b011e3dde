/** The command was called wrongly; ends with exit code 2. The message names what is wrong and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly isUsageError = true;
}

export function isUsageError(error: unknown): error is UsageError {
  return typeof error === 'object' && error !== null && 'isUsageError' in error;
}
