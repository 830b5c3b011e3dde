import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WireParams } from './wire-params';
import { WireError, illegalCharacters, missingParameter } from './wire-error';

const DEFAULT_RECV_WINDOW_MS = 5000;
const MAX_RECV_WINDOW_MS = 60_000;
const AHEAD_MS = 1000;
const KEY_FORMAT = /^[A-Za-z0-9._-]{1,128}$/;
const SIGNATURE = /(^|&)signature=[^&]*/;
/** Above this a timestamp is read as microseconds, as Binance does. */
const MICROSECONDS_FROM = 100_000_000_000_000;

export interface ApiKey {
  secret: string;
  account: string;
}

export interface SignedRequest {
  apiKey: string | undefined;
  /** Query string and body, exactly as received. */
  query: string;
  body: string;
  params: WireParams;
}

/**
 * Checks key, time and signature of a request in Binance's way and names the account that it acts for.
 * Throws -2014, -2015, -1102, -1100, -1021 or -1022.
 */
export function authenticate(request: SignedRequest, keys: ReadonlyMap<string, ApiKey>, nowMs: number): string {
  const { apiKey, params } = request;
  if (apiKey === undefined || !KEY_FORMAT.test(apiKey)) throw new WireError(-2014, 'API-key format invalid.', 401);
  const known = keys.get(apiKey);
  if (!known) throw new WireError(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
  checkTime(params, nowMs);
  checkSignature(request, known.secret);
  return known.account;
}

function checkTime(params: WireParams, nowMs: number): void {
  const stamp = params.long('timestamp');
  if (stamp === undefined) throw missingParameter('timestamp');
  const timestampMs = stamp >= MICROSECONDS_FROM ? stamp / 1000 : stamp;
  const recvWindowMs = readRecvWindow(params);
  if (timestampMs >= nowMs + AHEAD_MS) {
    throw new WireError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.");
  }
  if (nowMs - timestampMs > recvWindowMs) {
    throw new WireError(-1021, 'Timestamp for this request is outside of the recvWindow.');
  }
}

function readRecvWindow(params: WireParams): number {
  const text = params.text('recvWindow');
  if (text === undefined) return DEFAULT_RECV_WINDOW_MS;
  if (!/^[0-9]{1,9}(\.[0-9]{1,3})?$/.test(text)) {
    throw illegalCharacters('recvWindow', '^[0-9]{1,20}(\\.[0-9]{1,3})?$');
  }
  const recvWindowMs = Number(text);
  if (recvWindowMs > MAX_RECV_WINDOW_MS) {
    throw new WireError(-1102, `'recvWindow' contains unexpected value. Cannot be greater than ${MAX_RECV_WINDOW_MS}.`);
  }
  return recvWindowMs;
}

function checkSignature({ query, body, params }: SignedRequest, secret: string): void {
  const given = params.text('signature');
  if (given === undefined) throw missingParameter('signature');
  const payload = withoutSignature(query) + withoutSignature(body);
  const expected = createHmac('sha256', secret).update(payload).digest();
  // Hex digits may come in either case: HMAC signatures are not case-sensitive.
  const bytes = /^[0-9a-fA-F]{64}$/.test(given) ? Buffer.from(given, 'hex') : undefined;
  if (!bytes || !timingSafeEqual(bytes, expected))
    throw new WireError(-1022, 'Signature for this request is not valid.');
}

function withoutSignature(part: string): string {
  const rest = part.replace(SIGNATURE, '');
  return rest.startsWith('&') ? rest.slice(1) : rest;
}
