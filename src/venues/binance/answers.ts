import { z } from 'zod';

import {
  addDecimals,
  canonicalDecimal,
  compareDecimals,
  divideDecimals,
  isDecimalString,
  multiplyDecimals,
  type DecimalString,
} from '../../domain/decimal';
import type { Fill, OrderState } from '../../domain/order';
import type { VenueOrder, VenueTrade } from '../port';

const amount = z.string().refine(isDecimalString, 'not a decimal amount').transform(canonicalDecimal);
const id = z.union([z.int().nonnegative(), z.string().regex(/^\d+$/)]).transform(String);
const time = z.int().nonnegative();

const orderFields = {
  orderId: id,
  clientOrderId: z.string(),
  status: z.string().min(1),
  executedQty: amount,
  cummulativeQuoteQty: amount,
};

export const placedSchema = z.object({
  ...orderFields,
  transactTime: time,
  fills: z.array(
    z.object({ tradeId: id, price: amount, qty: amount, commission: amount, commissionAsset: z.string().min(1) }),
  ),
});

/** Answer to a cancel. `clientOrderId` names the cancel there, `origClientOrderId` the order. */
export const cancelledSchema = z.object({ ...orderFields, origClientOrderId: z.string() });

export const orderSchema = z.object({
  ...orderFields,
  symbol: z.string().min(1),
  side: z.enum(['BUY', 'SELL']),
  type: z.string().min(1),
  origQty: amount,
  price: amount,
  time,
});

export const tradeSchema = z.object({
  id,
  orderId: id,
  price: amount,
  qty: amount,
  commission: amount,
  commissionAsset: z.string().min(1),
  time,
});

export const serverTimeSchema = z.object({ serverTime: time });

export function placedState(answer: z.infer<typeof placedSchema>): OrderState {
  const fills = answer.fills.map(({ tradeId, price, qty, commission, commissionAsset }) => ({
    tradeId,
    price,
    quantity: qty,
    fee: commission,
    feeAsset: commissionAsset,
    time: answer.transactTime,
  }));
  return orderState(answer, fills);
}

/** The order that a cancel ended, under its own client order id. The venue does not tell its fills with it. */
export function cancelledState(answer: z.infer<typeof cancelledSchema>): OrderState {
  return orderState({ ...answer, clientOrderId: answer.origClientOrderId }, []);
}

export function venueOrder(answer: z.infer<typeof orderSchema>, fills: Fill[]): VenueOrder {
  const { symbol, side, type, origQty, price, time: createdAt } = answer;
  return { ...orderState(answer, fills), symbol, side, type, quantity: origQty, price, time: createdAt };
}

export function venueTrade(answer: z.infer<typeof tradeSchema>): VenueTrade {
  const { id: tradeId, orderId, price, qty, commission, commissionAsset, time: executedAt } = answer;
  return { tradeId, orderId, price, quantity: qty, fee: commission, feeAsset: commissionAsset, time: executedAt };
}

type OrderAnswer = Pick<
  z.infer<typeof orderSchema>,
  'orderId' | 'clientOrderId' | 'status' | 'executedQty' | 'cummulativeQuoteQty'
>;

function orderState(answer: OrderAnswer, fills: Fill[]): OrderState {
  const { orderId, clientOrderId, status, executedQty } = answer;
  return {
    orderId,
    clientOrderId,
    status,
    executedQuantity: executedQty,
    averagePrice: averageOf(answer, fills),
    fills,
  };
}

function averageOf({ executedQty, cummulativeQuoteQty }: OrderAnswer, fills: Fill[]): DecimalString {
  if (compareDecimals(executedQty, '0') <= 0) return '0';
  if (compareDecimals(cummulativeQuoteQty, '0') >= 0) return divideDecimals(cummulativeQuoteQty, executedQty);
  // A negative sum means that the venue has it no more for this old order; the fills, where they are known, still tell.
  const spent = fills.reduce(
    (total, { price, quantity }) => addDecimals(total, multiplyDecimals(price, quantity)),
    '0',
  );
  return divideDecimals(spent, executedQty);
}
