import { ORDER_TYPES } from '../../domain/order';
import { wireAmount } from './amounts';
import { type Api, type Endpoint, ok } from './api';
import type { SymbolConfig } from './config';
import { describeFilters } from './filters';
import type { WireParams } from './wire-params';
import { WireError, invalidSymbol, illegalCharacters } from './wire-error';

const PRECISION = 8;

/** `GET /api/v3/ping` */
export const ping: Endpoint = { weight: 1, signed: false, prepare: () => () => ok({}) };

/** `GET /api/v3/time` */
export const time: Endpoint = {
  weight: 1,
  signed: false,
  prepare:
    ({ clock }) =>
    () =>
      ok({ serverTime: clock.now() }),
};

/** `GET /api/v3/exchangeInfo` */
export const exchangeInfo: Endpoint = {
  weight: 20,
  signed: false,
  prepare: (api, { params }) => {
    const symbols = readSymbols(api, params).symbols;
    return () =>
      ok({
        timezone: 'UTC',
        serverTime: api.clock.now(),
        rateLimits: api.limits.describe(),
        exchangeFilters: [],
        symbols: symbols.map(describeSymbol),
      });
  },
};

/** `GET /api/v3/ticker/price` */
export const tickerPrice: Endpoint = {
  weight: (params) => (params.has('symbol') ? 2 : 4),
  signed: false,
  prepare: (api, { params }) => {
    const { symbols, single } = readSymbols(api, params);
    return () => {
      const prices = symbols.map(({ symbol }) => ({ symbol, price: wireAmount(api.engine.price(symbol)) }));
      return ok(single ? prices[0] : prices);
    };
  },
};

function readSymbols({ config }: Api, params: WireParams): { symbols: SymbolConfig[]; single: boolean } {
  const one = params.text('symbol');
  const many = params.text('symbols');
  if (one !== undefined && many !== undefined) {
    throw new WireError(-1128, 'Combination of optional parameters invalid.');
  }
  if (one === undefined && many === undefined) return { symbols: config.symbols, single: false };
  const names = one === undefined ? parseList(many ?? '') : [one];
  const symbols = names.map((name) => {
    const known = config.symbols.find(({ symbol }) => symbol === name);
    if (!known) throw invalidSymbol();
    return known;
  });
  return { symbols, single: one !== undefined };
}

function parseList(text: string): string[] {
  if (!/^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}")*\]$/.test(text)) {
    throw illegalCharacters('symbols', '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$');
  }
  return JSON.parse(text) as string[];
}

function describeSymbol(config: SymbolConfig): Record<string, unknown> {
  return {
    symbol: config.symbol,
    status: config.status,
    baseAsset: config.base_asset,
    baseAssetPrecision: PRECISION,
    quoteAsset: config.quote_asset,
    quotePrecision: PRECISION,
    quoteAssetPrecision: PRECISION,
    baseCommissionPrecision: PRECISION,
    quoteCommissionPrecision: PRECISION,
    orderTypes: ORDER_TYPES,
    icebergAllowed: false,
    ocoAllowed: false,
    otoAllowed: false,
    opoAllowed: false,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: false,
    cancelReplaceAllowed: false,
    amendAllowed: false,
    pegInstructionsAllowed: false,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: describeFilters(config.filters, wireAmount),
    permissions: [],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'NONE',
    allowedSelfTradePreventionModes: ['NONE'],
  };
}
