import { account, allOrders, myTrades, openOrders } from './account-endpoints';
import type { Answer, Api, Endpoint } from './api';
import { exchangeInfo, ping, tickerPrice, time } from './market-endpoints';
import { cancelOrder, placeOrder, queryOrder } from './trading-endpoints';
import { WireError } from './wire-error';
import { WireParams } from './wire-params';
import { authenticate, type ApiKey } from './wire-signature';

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ['GET /api/v3/ping', ping],
  ['GET /api/v3/time', time],
  ['GET /api/v3/exchangeInfo', exchangeInfo],
  ['GET /api/v3/ticker/price', tickerPrice],
  ['POST /api/v3/order', placeOrder],
  ['GET /api/v3/order', queryOrder],
  ['DELETE /api/v3/order', cancelOrder],
  ['GET /api/v3/openOrders', openOrders],
  ['GET /api/v3/allOrders', allOrders],
  ['GET /api/v3/myTrades', myTrades],
  ['GET /api/v3/account', account],
]);

/** A request as it arrived: query string and body untouched, for the signature is over them. */
export interface ApiRequest {
  method: string;
  path: string;
  query: string;
  body: string;
  apiKey: string | undefined;
}

export interface Router {
  /**
   * Checks the request as the gateway does and returns what acts on it. Neither throws: a refusal is an answer, and
   * `refused` tells that the gateway gave it.
   */
  prepare(request: ApiRequest): { act: () => Answer; refused: boolean };
}

export function createRouter(api: Api): Router {
  const keys = new Map<string, ApiKey>(
    api.config.api_keys.map(({ key, secret, account: name }) => [key, { secret, account: name }]),
  );

  function check(request: ApiRequest, headers: Record<string, string>): () => Answer {
    const endpoint = ENDPOINTS.get(`${request.method} ${request.path}`);
    if (!endpoint) throw new WireError(-1020, 'This operation is not supported.', 404);
    // Binance takes a query string alone with GET.
    const params = new WireParams(request.query, request.method === 'GET' ? '' : request.body);
    const weight = typeof endpoint.weight === 'number' ? endpoint.weight : endpoint.weight(params);
    Object.assign(headers, api.limits.spendWeight(weight));
    const signed = endpoint.signed ? authenticate({ ...request, params }, keys, api.clock.now()) : '';
    const act = endpoint.prepare(api, { params, account: signed });
    params.assertAllRead();
    return act;
  }

  return {
    prepare(request) {
      const headers: Record<string, string> = {};
      try {
        const act = check(request, headers);
        return { act: () => withHeaders(act, headers), refused: false };
      } catch (error) {
        const answer = refusal(error, headers);
        return { act: () => answer, refused: true };
      }
    },
  };
}

function withHeaders(act: () => Answer, headers: Record<string, string>): Answer {
  try {
    const answer = act();
    return { ...answer, headers: { ...headers, ...answer.headers } };
  } catch (error) {
    return refusal(error, headers);
  }
}

function refusal(error: unknown, headers: Record<string, string>): Answer {
  if (!(error instanceof WireError)) return unexpected(error, headers);
  return { status: error.status, body: error.body, headers: { ...headers, ...error.headers } };
}

/** A bug or a full disk: said aloud, and answered as Binance answers what it did not foresee. */
function unexpected(error: unknown, headers: Record<string, string>): Answer {
  process.stderr.write(`paper venue: ${error instanceof Error ? error.stack : String(error)}\n`);
  const body = { code: -1000, msg: 'An unknown error occurred while processing the request.' };
  return { status: 500, body, headers };
}
