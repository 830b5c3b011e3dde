import type { FailureInput, FailureVerdict } from './categories';
import { CATEGORY_ACTIONS, UNANSWERED_QUERY } from './category-actions';
import { statedWaitMs } from './retry-after';
import { loadRuleBook } from './rule-files';

const rulesFor = loadRuleBook();

/**
 * Says what a failed call to a venue means and what to do about it. Total and free of I/O: every input gets one category,
 * and what is not known about an act is OUTCOME_UNKNOWN, never something that may be sent again.
 *
 * The rules lie in `config/failure-rules/`; `verdict.rule` names the one that decided as `<file>/<rule>`. For an exchange
 * or market without rules of its own, HTTP status and phase decide. With `retry: 'after'` there is always a `retryAfterMs`:
 * as the venue stated it, else an assumed one (60 s for RATE_LIMIT, 10 s for ORDER_LIMIT, 120 s for BANNED).
 * An unanswered `query` is OUTCOME_UNKNOWN too, but has nothing to reconcile: `retry: 'backoff'`, `reconcile: false`.
 *
 * @param now current epoch ms; for a ban's end, which venues state as a point in time
 */
export function classifyFailure(input: FailureInput, now: () => number = Date.now): FailureVerdict {
  const failure = normalise(input);
  const rules = rulesFor(failure.exchange, failure.market);
  // The last rule matches everything: the rule book is refused at load without it.
  const rule = rules.find((candidate) => candidate.matches(failure))!;
  const isUnanswered = rule.category === 'OUTCOME_UNKNOWN' && failure.operation === 'query';
  const action = isUnanswered ? UNANSWERED_QUERY : CATEGORY_ACTIONS[rule.category];
  const retry = rule.retry ?? action.retry;
  const retryAfterMs = retry === 'after' ? (statedWaitMs(failure, now()) ?? action.assumedRetryAfterMs) : undefined;
  return {
    category: rule.category,
    retry,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    countsForBreaker: rule.countsForBreaker ?? action.countsForBreaker,
    reconcile: rule.reconcile ?? action.reconcile,
    scope: rule.scope ?? action.scope,
    rule: rule.name,
  };
}

/** Callers outside TypeScript hand over strings for numbers and null for nothing: neither may change the verdict. */
function normalise(input: FailureInput): FailureInput {
  const { exchange, market, code, httpStatus, message, headers } = input;
  const status = Number(httpStatus ?? Number.NaN);
  return {
    ...input,
    exchange: String(exchange).toLowerCase(),
    market: String(market).toLowerCase(),
    httpStatus: Number.isInteger(status) ? status : undefined,
    code: typeof code === 'string' && /^-?\d+$/.test(code) ? Number(code) : (code ?? undefined),
    message: typeof message === 'string' ? message : undefined,
    headers: headers ?? undefined,
  };
}
