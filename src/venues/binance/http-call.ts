import type { RequestPhase } from '../../failures/categories';
import { trackSend } from './send-tracker';

export interface HttpCall {
  method: 'GET' | 'POST' | 'DELETE';
  baseUrl: string;
  /** Path and query, as signed. */
  path: string;
  headers: Record<string, string>;
  /** For the whole call, from connecting to the last byte of the answer. */
  timeoutMs: number;
  /** Runs right before the request is handed to the network; what it throws is thrown, and nothing is sent. */
  beforeSend?: (() => void) | undefined;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** No complete answer came. `phase` says whether the venue may have read the request. */
export class HttpCallError extends Error {
  override readonly name = 'HttpCallError';

  constructor(
    readonly phase: RequestPhase,
    readonly code: string,
    message: string,
    /** Status and headers, where they came before the answer broke off. */
    readonly answer: Omit<HttpAnswer, 'body'> | undefined,
    options: { cause: unknown },
  ) {
    super(message, options);
  }
}

/** Statuses that say all by themselves that the request was turned away at the door, even when the body breaks off. */
const TURNED_AWAY = new Set([401, 403, 418, 429, 451]);

/** One request over global `fetch`: sent at most once, redirects not followed, connections kept alive, no pipelining. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const { method, baseUrl, path, headers, timeoutMs, beforeSend } = call;
  const tracker = trackSend(method, path);
  let head: Omit<HttpAnswer, 'body'> | undefined;
  try {
    beforeSend?.();
  } catch (error) {
    tracker.stop();
    throw error;
  }
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(baseUrl + path, { method, headers, signal, redirect: 'manual' });
    head = { status: response.status, headers: Object.fromEntries(response.headers) };
    return { ...head, body: await response.text() };
  } catch (error) {
    throw describe(error, { tracker, head, timeoutMs });
  } finally {
    tracker.stop();
  }
}

interface Circumstances {
  tracker: ReturnType<typeof trackSend>;
  head: Omit<HttpAnswer, 'body'> | undefined;
  timeoutMs: number;
}

function describe(error: unknown, { tracker, head, timeoutMs }: Circumstances): HttpCallError {
  const phase = head === undefined && tracker.neverLeft() ? 'before_send' : 'after_send';
  const turnedAway = head !== undefined && TURNED_AWAY.has(head.status);
  const { code, message } = nameError(error, timeoutMs);
  return new HttpCallError(turnedAway ? 'response' : phase, code, message, head, { cause: error });
}

function nameError(error: unknown, timeoutMs: number): { code: string; message: string } {
  const { name, message, cause } = error as { name?: string; message?: string; cause?: unknown };
  if (name === 'TimeoutError') return { code: 'TIMEOUT', message: `no complete answer within ${timeoutMs} ms` };
  const { code, message: detail } = (cause ?? {}) as { code?: string; message?: string };
  return { code: code ?? 'FETCH_FAILED', message: detail || (message ?? String(error)) };
}
