import type { VenueClock } from './clock';
import type { PaperVenueConfig } from './config';
import type { Engine } from './engine';
import type { Limits } from './limits';
import type { PaperOrder } from './orders';
import { readSymbol } from './order-request';
import type { Visibility } from './visibility';
import type { WireParams } from './wire-params';
import { WireError, missingParameter } from './wire-error';

/** What the endpoints stand on. */
export interface Api {
  config: PaperVenueConfig;
  engine: Engine;
  limits: Limits;
  visibility: Visibility;
  clock: Pick<VenueClock, 'now'>;
}

export interface Answer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
  /** The order that the request made the venue take. */
  taken?: PaperOrder;
}

export interface Call {
  params: WireParams;
  /** Account of the API key; empty at public endpoints. */
  account: string;
}

/**
 * An endpoint. `prepare` reads and checks what the gateway can check; what it returns acts, at once or much later.
 * Both throw `WireError`.
 */
export interface Endpoint {
  weight: number | ((params: WireParams) => number);
  signed: boolean;
  prepare: (api: Api, call: Call) => () => Answer;
}

export function ok(body: unknown, extra: Omit<Partial<Answer>, 'body'> = {}): Answer {
  return { status: 200, body, headers: {}, ...extra };
}

/** Finds the one order that `orderId` or `origClientOrderId` names; the latest where several carried the id. */
export function findNamedOrder(
  { engine, visibility }: Api,
  { params, account }: Call,
  { engineSees, absent }: { engineSees: boolean; absent: () => WireError },
): () => PaperOrder {
  const symbol = readSymbol(params, (name) => engine.knows(name));
  const orderId = params.long('orderId');
  const clientOrderId = params.clientId('origClientOrderId');
  if (orderId === undefined && clientOrderId === undefined) {
    const msg = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!";
    throw new WireError(missingParameter('orderId').code, msg);
  }
  return () => {
    let order: PaperOrder | undefined;
    if (orderId !== undefined) {
      order = engine.book.get(orderId);
      if (order && (order.account !== account || order.symbol !== symbol)) order = undefined;
      if (order && !engineSees && !visibility.sees(order)) order = undefined;
      if (order && clientOrderId !== undefined && order.clientOrderId !== clientOrderId) {
        throw new WireError(-2039, 'Client order ID is not correct for this order ID.');
      }
    } else if (clientOrderId !== undefined) {
      const named = engine.book.withClientId(account, symbol, clientOrderId);
      order = (engineSees ? named : named.filter((candidate) => visibility.sees(candidate))).at(-1);
    }
    if (!order) throw absent();
    return order;
  };
}
