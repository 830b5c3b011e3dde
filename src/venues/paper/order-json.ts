import { wireAmount } from './amounts';
import type { ResponseType } from './order-request';
import type { PaperOrder, PaperTrade } from './orders';

type Json = Record<string, unknown>;

/** Answer to a new order. */
export function newOrderJson(order: PaperOrder, trades: readonly PaperTrade[], responseType: ResponseType): Json {
  const ack: Json = {
    symbol: order.symbol,
    orderId: order.orderId,
    orderListId: -1,
    clientOrderId: order.clientOrderId,
    transactTime: order.time,
  };
  if (responseType === 'ACK') return ack;
  const result: Json = { ...ack, ...state(order), workingTime: order.workingTime, selfTradePreventionMode: 'NONE' };
  if (responseType === 'RESULT') return result;
  const fills = trades.map((trade) => ({
    price: wireAmount(trade.price),
    qty: wireAmount(trade.quantity),
    commission: wireAmount(trade.commission),
    commissionAsset: trade.commissionAsset,
    tradeId: trade.tradeId,
  }));
  return { ...result, fills };
}

/** An order as queries show it. */
export function orderJson(order: PaperOrder): Json {
  const { origQuoteOrderQty, ...rest } = state(order);
  return {
    symbol: order.symbol,
    orderId: order.orderId,
    orderListId: -1,
    clientOrderId: order.clientOrderId,
    ...rest,
    stopPrice: wireAmount(order.stopPrice),
    icebergQty: '0.00000000',
    time: order.time,
    updateTime: order.updateTime,
    isWorking: order.working,
    workingTime: order.workingTime,
    origQuoteOrderQty,
    selfTradePreventionMode: 'NONE',
  };
}

/** Answer to a cancel; `cancelId` names the cancel itself. */
export function cancelJson(order: PaperOrder, cancelId: string): Json {
  return {
    symbol: order.symbol,
    origClientOrderId: order.clientOrderId,
    orderId: order.orderId,
    orderListId: -1,
    clientOrderId: cancelId,
    transactTime: order.updateTime,
    ...state(order),
    selfTradePreventionMode: 'NONE',
  };
}

export function tradeJson(trade: PaperTrade, order: PaperOrder): Json {
  return {
    symbol: order.symbol,
    id: trade.tradeId,
    orderId: trade.orderId,
    orderListId: -1,
    price: wireAmount(trade.price),
    qty: wireAmount(trade.quantity),
    quoteQty: wireAmount(trade.quoteQuantity),
    commission: wireAmount(trade.commission),
    commissionAsset: trade.commissionAsset,
    time: trade.time,
    isBuyer: order.side === 'BUY',
    isMaker: trade.isMaker,
    isBestMatch: true,
  };
}

function state(order: PaperOrder): Json {
  return {
    price: wireAmount(order.price),
    origQty: wireAmount(order.quantity),
    executedQty: wireAmount(order.executed),
    origQuoteOrderQty: wireAmount(order.quoteQuantity),
    cummulativeQuoteQty: wireAmount(order.quoteExecuted),
    status: order.status,
    timeInForce: order.timeInForce,
    type: order.type,
    side: order.side,
    ...(order.stopPrice !== '0' && { stopPrice: wireAmount(order.stopPrice) }),
  };
}
