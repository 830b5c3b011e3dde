import type { z } from 'zod';

import type { FailureInput, VenueOperation } from '../../failures/categories';
import { classifyFailure } from '../../failures/classify';
import { VenueError } from '../port';
import { parseExactJson } from './exact-json';
import { callHttp, HttpCallError, type HttpAnswer, type HttpCall } from './http-call';
import { signQuery, toQuery, type QueryParams } from './sign';
import type { VenueClock } from './venue-clock';

export interface SpotClientOptions {
  baseUrl: string;
  apiKey: string;
  apiSecret: string;
  recvWindowMs: number;
  timeoutMs: number;
  clock: VenueClock;
}

export interface SpotRequest<Schema extends z.ZodType> {
  operation: VenueOperation;
  method: HttpCall['method'];
  path: string;
  params?: QueryParams;
  /** What the answer must hold to be one. */
  schema: Schema;
  /** Whether key, timestamp and signature go with it; default true. */
  signed?: boolean;
  beforeSend?: (() => void) | undefined;
}

export type SpotClient = <Schema extends z.ZodType>(request: SpotRequest<Schema>) => Promise<z.output<Schema>>;

/** Body text that goes into an error's message at most. */
const EXCERPT_LENGTH = 200;

/** One call to Binance spot: signed once, sent once, its answer checked. Everything else becomes a `VenueError`. */
export function createSpotClient(options: SpotClientOptions): SpotClient {
  const { baseUrl, apiKey, apiSecret, recvWindowMs, timeoutMs, clock } = options;

  return async function call({ operation, method, path, params = {}, schema, signed = true, beforeSend }) {
    const stamp = { recvWindow: recvWindowMs, timestamp: Math.floor(clock.read().nowMs) };
    const query = signed ? signQuery(toQuery({ ...params, ...stamp }), apiSecret) : toQuery(params);
    const headers: Record<string, string> = signed ? { 'x-mbx-apikey': apiKey } : {};
    const answer = await callHttp({
      method,
      baseUrl,
      path: query === '' ? path : `${path}?${query}`,
      headers,
      timeoutMs,
      beforeSend,
    }).catch((error: unknown) => {
      throw error instanceof HttpCallError ? failed({ operation, error }) : error;
    });
    return readAnswer(operation, answer, schema);
  };
}

function readAnswer<Schema extends z.ZodType>(
  operation: VenueOperation,
  answer: HttpAnswer,
  schema: Schema,
): z.output<Schema> {
  const content = parseOrUndefined(answer.body);
  if (answer.status >= 200 && answer.status <= 299) {
    const checked = schema.safeParse(content);
    if (checked.success) return checked.data;
    // What the venue did stands, even if its answer cannot be read: for an act this is doubt, not failure.
    const issue = checked.error.issues[0];
    const lack = content === undefined ? 'not JSON' : `${issue?.path.join('.') || 'answer'}: ${issue?.message}`;
    throw refused(operation, answer, content, `answer ${answer.status} cannot be read (${lack})`);
  }
  throw refused(operation, answer, content, excerpt(answer.body) || `answer ${answer.status} without a body`);
}

function refused(operation: VenueOperation, answer: HttpAnswer, content: unknown, otherwise: string): VenueError {
  const { code, msg } = (content ?? {}) as { code?: unknown; msg?: unknown };
  return toVenueError({
    operation,
    phase: 'response',
    httpStatus: answer.status,
    code: typeof code === 'number' || typeof code === 'string' ? code : undefined,
    message: typeof msg === 'string' ? msg : otherwise,
    headers: telling(answer.headers),
  });
}

function failed({ operation, error }: { operation: VenueOperation; error: HttpCallError }): VenueError {
  const { phase, code, message, answer } = error;
  const known = answer && { httpStatus: answer.status, headers: telling(answer.headers) };
  return toVenueError({ operation, phase, code, message, ...known }, error);
}

/** A failure of this exchange and market, classified. */
export function toVenueError(failure: Omit<FailureInput, 'exchange' | 'market'>, cause?: unknown): VenueError {
  const input: FailureInput = { exchange: 'binance', market: 'spot', ...failure };
  return new VenueError(input, classifyFailure(input), cause === undefined ? undefined : { cause });
}

/** Errors are stored and shown: they carry the headers that say something about limits, not cookies. */
function telling(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(retry-after|x-mbx-.*)$/.test(name)));
}

function parseOrUndefined(body: string): unknown {
  try {
    return parseExactJson(body);
  } catch {
    return undefined;
  }
}

function excerpt(body: string): string {
  return body.trim().slice(0, EXCERPT_LENGTH);
}
