import { multiplyDecimals } from '../../domain/decimal';
import { wireAmount } from './amounts';
import { type Endpoint, ok } from './api';
import { orderJson, tradeJson } from './order-json';
import { readSymbol } from './order-request';
import { pageOf } from './page';

/** `GET /api/v3/openOrders` */
export const openOrders: Endpoint = {
  weight: (params) => (params.has('symbol') ? 6 : 80),
  signed: true,
  prepare: ({ engine, visibility }, { params, account }) => {
    const symbol = params.has('symbol') ? readSymbol(params, (name) => engine.knows(name)) : undefined;
    return () => {
      const open = engine.openOrders(account, symbol);
      return ok(visibility.shown(open).map(orderJson));
    };
  },
};

/** `GET /api/v3/allOrders` */
export const allOrders: Endpoint = {
  weight: 20,
  signed: true,
  prepare: ({ engine, visibility }, { params, account }) => {
    const symbol = readSymbol(params, (name) => engine.knows(name));
    const { orders } = engine.book.history(account, symbol);
    const page = pageOf(visibility.shown(orders), params, {
      fromId: params.long('orderId'),
      idOf: (order) => order.orderId,
      timeOf: (order) => order.time,
    });
    return () => ok(page.map(orderJson));
  },
};

/** `GET /api/v3/myTrades` */
export const myTrades: Endpoint = {
  weight: (params) => (params.has('orderId') ? 5 : 20),
  signed: true,
  prepare: ({ engine, visibility }, { params, account }) => {
    const symbol = readSymbol(params, (name) => engine.knows(name));
    const orderId = params.long('orderId');
    const { trades: all } = engine.book.history(account, symbol);
    const trades = orderId === undefined ? all : all.filter((trade) => trade.orderId === orderId);
    const page = pageOf(visibility.shown(trades), params, {
      fromId: params.long('fromId'),
      idOf: (trade) => trade.tradeId,
      timeOf: (trade) => trade.time,
    });
    return () =>
      ok(
        page.flatMap((trade) => {
          const order = engine.book.get(trade.orderId);
          return order ? [tradeJson(trade, order)] : [];
        }),
      );
  },
};

/** `GET /api/v3/account` */
export const account: Endpoint = {
  weight: 20,
  signed: true,
  prepare: ({ engine, config, clock }, { params, account: name }) => {
    const omitsZeros = params.text('omitZeroBalances') === 'true';
    return () => {
      const rate = wireAmount(config.commission);
      const basisPoints = Number(multiplyDecimals(config.commission, '10000').split('.')[0]);
      const owned = engine.balances.list(name);
      const shown = omitsZeros ? owned.filter(([, { free, locked }]) => free !== '0' || locked !== '0') : owned;
      return ok({
        makerCommission: basisPoints,
        takerCommission: basisPoints,
        buyerCommission: 0,
        sellerCommission: 0,
        commissionRates: { maker: rate, taker: rate, buyer: '0.00000000', seller: '0.00000000' },
        canTrade: true,
        canWithdraw: true,
        canDeposit: true,
        brokered: false,
        requireSelfTradePrevention: false,
        preventSor: false,
        updateTime: clock.now(),
        accountType: 'SPOT',
        balances: shown.map(([asset, { free, locked }]) => ({
          asset,
          free: wireAmount(free),
          locked: wireAmount(locked),
        })),
        permissions: ['SPOT'],
        uid: 1 + Object.keys(config.accounts).indexOf(name),
      });
    };
  },
};
