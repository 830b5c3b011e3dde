import type { Resolution } from '../domain/job-plan';
import { isJobType } from '../domain/job-types';
import { parseUnrounded } from './exact-json';
import { UsageError } from './usage-error';

/** What an act that is done has come to, as the flags say it; throws a `UsageError` where they do not fit. */
export function checkedResult(
  jobType: string,
  { decision, orderId, result }: { decision: Resolution['decision']; orderId?: string; result?: string },
): { orderId?: string; result?: object } {
  if (isJobType(jobType)) {
    if (result !== undefined) throw new UsageError(`--result: ${jobType} takes --order-id, the venue tells the rest`);
    if (decision === 'done' && !/^\d{1,20}$/.test(orderId ?? ''))
      throw new UsageError("--order-id: the venue's order id, a string of digits, is needed for --decision done");
    return orderId === undefined ? {} : { orderId };
  }
  if (orderId !== undefined) throw new UsageError(`--order-id: ${jobType} is no order; say its result with --result`);
  return result === undefined ? {} : { result: jsonObject('--result', result) };
}

/** The object that a flag holds as JSON; a number that would be rounded is refused. */
export function jsonObject(flag: string, text: string): object {
  let value: unknown;
  try {
    value = parseUnrounded(text);
  } catch (error) {
    throw new UsageError(`${flag}: no JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`${flag}: must be one JSON object`);
}
