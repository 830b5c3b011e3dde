import { type Answer, type Endpoint, findNamedOrder, ok } from './api';
import { cancelJson, newOrderJson, orderJson } from './order-json';
import { readNewOrder } from './order-request';
import { WireError, noSuchOrder, unknownOrderSent } from './wire-error';

/** `POST /api/v3/order` */
export const placeOrder: Endpoint = {
  weight: 1,
  signed: true,
  prepare: ({ engine, limits }, { params, account }) => {
    const { order: request, responseType } = readNewOrder(params, (symbol) => engine.knows(symbol));
    limits.checkOrders(account);
    return (): Answer => {
      const order = engine.place(account, request);
      const headers = limits.countOrder(account);
      return ok(newOrderJson(order, engine.book.tradesOf(order.orderId), responseType), { headers, taken: order });
    };
  },
};

/** `GET /api/v3/order` */
export const queryOrder: Endpoint = {
  weight: 4,
  signed: true,
  prepare: (api, call) => {
    const find = findNamedOrder(api, call, { engineSees: false, absent: noSuchOrder });
    return () => ok(orderJson(find()));
  },
};

/** `DELETE /api/v3/order` */
export const cancelOrder: Endpoint = {
  weight: 1,
  signed: true,
  prepare: (api, call) => {
    const find = findNamedOrder(api, call, { engineSees: true, absent: unknownOrderSent });
    const cancelId = call.params.clientId('newClientOrderId');
    const restriction = call.params.text('cancelRestrictions');
    const only = restriction === undefined ? undefined : RESTRICTIONS.get(restriction);
    if (restriction !== undefined && !only) throw new WireError(-1145, 'Invalid cancelRestrictions');
    return () => {
      const order = find();
      if (only && order.status !== only) {
        throw new WireError(-2011, 'Order was not canceled due to cancel restrictions.');
      }
      api.engine.cancel(order);
      return ok(cancelJson(order, cancelId ?? api.engine.newClientOrderId()));
    };
  },
};

const RESTRICTIONS = new Map([
  ['ONLY_NEW', 'NEW'],
  ['ONLY_PARTIALLY_FILLED', 'PARTIALLY_FILLED'],
]);
