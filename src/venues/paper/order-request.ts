import { ORDER_SIDES, ORDER_TYPES, TIMES_IN_FORCE, type OrderType } from '../../domain/order';
import type { NewOrder } from './orders';
import type { WireParams } from './wire-params';
import { WireError, illegalCharacters, invalidSymbol, missingParameter, notRequired } from './wire-error';

const SYMBOL = /^[A-Z0-9-_.]{1,20}$/;
const RESPONSE_TYPES = ['ACK', 'RESULT', 'FULL'] as const;
export type ResponseType = (typeof RESPONSE_TYPES)[number];

type Field = 'timeInForce' | 'quantity' | 'price' | 'stopPrice';
const REQUIRED: Record<OrderType, readonly Field[]> = {
  LIMIT: ['timeInForce', 'quantity', 'price'],
  MARKET: [],
  LIMIT_MAKER: ['quantity', 'price'],
  STOP_LOSS: ['quantity', 'stopPrice'],
  STOP_LOSS_LIMIT: ['timeInForce', 'quantity', 'price', 'stopPrice'],
  TAKE_PROFIT: ['quantity', 'stopPrice'],
  TAKE_PROFIT_LIMIT: ['timeInForce', 'quantity', 'price', 'stopPrice'],
};
const FIELDS: readonly Field[] = ['timeInForce', 'quantity', 'price', 'stopPrice'];

/** Reads and checks the symbol. Throws -1102, -1100 or -1121. */
export function readSymbol(params: WireParams, known: (symbol: string) => boolean): string {
  const symbol = params.required('symbol');
  if (!SYMBOL.test(symbol)) throw illegalCharacters('symbol', '^[A-Z0-9-_.]{1,20}$');
  if (!known(symbol)) throw invalidSymbol();
  return symbol;
}

/** Reads a new order. Throws Binance's error for what is missing, malformed or not allowed with the order's type. */
export function readNewOrder(
  params: WireParams,
  known: (symbol: string) => boolean,
): { order: NewOrder; responseType: ResponseType } {
  const symbol = readSymbol(params, known);
  const side = oneOf(params.required('side'), ORDER_SIDES, new WireError(-1117, 'Invalid side.'));
  const type = oneOf(params.required('type'), ORDER_TYPES, new WireError(-1116, 'Invalid orderType.'));
  const timeInForceText = params.text('timeInForce');
  const timeInForce =
    timeInForceText === undefined
      ? undefined
      : oneOf(timeInForceText, TIMES_IN_FORCE, new WireError(-1115, 'Invalid timeInForce.'));
  const amounts = {
    quantity: params.amount('quantity'),
    quoteQuantity: params.amount('quoteOrderQty'),
    price: params.amount('price'),
    stopPrice: params.amount('stopPrice'),
  };
  checkFields(type, { timeInForce, ...amounts });
  const clientOrderId = params.clientId('newClientOrderId');
  const responseText = params.text('newOrderRespType') ?? (type === 'MARKET' || type === 'LIMIT' ? 'FULL' : 'ACK');
  const responseType = oneOf(
    responseText,
    RESPONSE_TYPES,
    illegalCharacters('newOrderRespType', '^(ACK|RESULT|FULL)$'),
  );
  // Labels that change nothing here are accepted, as Binance accepts them.
  for (const label of ['strategyId', 'strategyType', 'selfTradePreventionMode']) params.text(label);
  return {
    responseType,
    order: {
      symbol,
      side,
      type,
      timeInForce: timeInForce ?? 'GTC',
      quantity: amounts.quantity ?? '0',
      quoteQuantity: amounts.quoteQuantity ?? '0',
      price: amounts.price ?? '0',
      stopPrice: amounts.stopPrice ?? '0',
      clientOrderId,
    },
  };
}

function checkFields(type: OrderType, sent: Partial<Record<Field | 'quoteQuantity', string | undefined>>): void {
  const required = REQUIRED[type];
  for (const field of required) if (sent[field] === undefined) throw missingParameter(field);
  if (type === 'MARKET') {
    if (sent.quantity === undefined && sent.quoteQuantity === undefined) throw missingParameter('quantity');
    if (sent.quantity !== undefined && sent.quoteQuantity !== undefined) throw notRequired('quoteOrderQty');
  } else if (sent.quoteQuantity !== undefined) {
    throw notRequired('quoteOrderQty');
  }
  for (const field of FIELDS) {
    const allowed = required.includes(field) || (type === 'MARKET' && field === 'quantity');
    if (!allowed && sent[field] !== undefined) throw notRequired(field);
  }
  for (const field of ['price', 'stopPrice'] as const) {
    if (sent[field] === '0') throw new WireError(-1013, 'Invalid price.');
  }
  if (sent.quantity === '0' || sent.quoteQuantity === '0') throw new WireError(-1013, 'Invalid quantity.');
}

function oneOf<Word extends string>(text: string, words: readonly Word[], otherwise: WireError): Word {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw otherwise;
  return word;
}
