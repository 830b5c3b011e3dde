import { classifyFailure } from '../../../src/failures/classify';
import { failureOf } from '../../support/failure-line';

const categoryOf = (line: string): string => classifyFailure(failureOf(line)).category;

describe('one code with two meanings', () => {
  it.each([
    ['spot place 503 -1001 "Internal error; unable to process your request. Please try again."', 'OUTCOME_UNKNOWN'],
    ['usdm place 503 -1001 "Internal error; unable to process your request. Please try again."', 'UNAVAILABLE'],
    ['coinm place 503 -1001 "Internal error; unable to process your request. Please try again."', 'UNAVAILABLE'],
    ['pm place 503 -1001 "Internal error; unable to process your request. Please try again."', 'UNAVAILABLE'],
    ['usdm place 500 -1001', 'OUTCOME_UNKNOWN'],
    ['usdm place 400 -1001', 'OUTCOME_UNKNOWN'],
    ['spot place 400 -1001', 'OUTCOME_UNKNOWN'],
    ['spot place 400 -1004', 'UNAVAILABLE'],
    ['usdm place 400 -1004 "This IP is already on the white list"', 'INVALID'],
    ['spot place 400 -2021 "Order cancel-replace partially failed."', 'OUTCOME_UNKNOWN'],
    ['spot place 409 -2021 "Order cancel-replace partially failed."', 'OUTCOME_UNKNOWN'],
    ['usdm place 400 -2021 "Order would immediately trigger."', 'MARKET_REJECT'],
    ['spot place 400 -2022 "Order cancel-replace failed."', 'MARKET_REJECT'],
    ['usdm place 400 -2022 "ReduceOnly Order is rejected."', 'MARKET_REJECT'],
    ['spot query 400 -2026', 'GONE'],
    ['usdm place 400 -2026 "This OrderType is not supported when reduceOnly."', 'INVALID'],
    ['usdm place 400 -4087', 'RESTRICTED'],
    ['usdm place 400 -4088', 'RESTRICTED'],
    ['pm place 400 -4087', 'RESTRICTED'],
    ['pm place 400 -4088', 'RESTRICTED'],
    ['coinm place 400 -4087 "Invalid pair."', 'INVALID'],
    ['coinm place 400 -4088 "Invalid time interval."', 'INVALID'],
    ['usdm place 400 -5041', 'MARKET_REJECT'],
    ['pm place 400 -5041 "Time out for too many requests from this account queueing."', 'OUTCOME_UNKNOWN'],
    ['spot place 429 -1003 "Too much request weight used."', 'RATE_LIMIT'],
    ['spot place 429 -1015 "Too many new orders."', 'ORDER_LIMIT'],
  ])('%s is %s', (line, category) => expect(categoryOf(line)).toBe(category));
});

describe('-2010 of spot, which spans six categories', () => {
  it.each([
    ['Duplicate order sent.', 'ALREADY_APPLIED'],
    ['Account has insufficient balance for requested action.', 'FUNDS'],
    ['Market is closed.', 'SYMBOL_HALTED'],
    ['This account may not place or cancel orders.', 'RESTRICTED'],
    ['This action is disabled on this account.', 'RESTRICTED'],
    ['This symbol is not permitted for this account.', 'RESTRICTED'],
    ['This symbol is restricted for this account.', 'RESTRICTED'],
    ['Order would immediately match and take.', 'MARKET_REJECT'],
    ['Order would trigger immediately.', 'MARKET_REJECT'],
    ['Stop price would trigger immediately.', 'MARKET_REJECT'],
    ['Order book liquidity is less than symbol minimum quantity.', 'MARKET_REJECT'],
    ['Market orders are not supported for this symbol.', 'INVALID'],
    ['NEW_ORDER_REJECTED', 'INVALID'],
  ])('%s', (message, category) => {
    expect(categoryOf(`spot place 400 -2010 "${message}"`)).toBe(category);
    expect(categoryOf(`spot place 400 -2010 "${message.toUpperCase()}"`)).toBe(category);
  });

  it('is FUNDS by message alone, and by nothing else of the same words under another code', () => {
    expect(categoryOf('spot place 400 -1121 "insufficient balance"')).toBe('INVALID');
  });
});

describe('-1013 of spot, which filters and closed markets share', () => {
  it.each([
    ['Market is closed.', 'SYMBOL_HALTED'],
    ['Filter failure: PERCENT_PRICE', 'MARKET_REJECT'],
    ['Filter failure: PERCENT_PRICE_BY_SIDE', 'MARKET_REJECT'],
    ['Filter failure: MAX_NUM_ORDERS', 'MARKET_REJECT'],
    ['Filter failure: MAX_NUM_ALGO_ORDERS', 'MARKET_REJECT'],
    ['Filter failure: EXCHANGE_MAX_NUM_ORDERS', 'MARKET_REJECT'],
    ['Filter failure: MAX_POSITION', 'MARKET_REJECT'],
    ['Filter failure: PRICE_FILTER', 'INVALID'],
    ['Filter failure: LOT_SIZE', 'INVALID'],
    ['Filter failure: MARKET_LOT_SIZE', 'INVALID'],
    ['Filter failure: MIN_NOTIONAL', 'INVALID'],
    ['Filter failure: NOTIONAL', 'INVALID'],
    ['Invalid quantity.', 'INVALID'],
  ])('%s is %s', (message, category) => expect(categoryOf(`spot place 400 -1013 "${message}"`)).toBe(category));
});

describe('what Binance answers otherwise', () => {
  it.each([
    // Unknown outcomes.
    ['spot place 400 -1000', 'OUTCOME_UNKNOWN'],
    ['spot place 400 -1006', 'OUTCOME_UNKNOWN'],
    ['spot place 400 -1007', 'OUTCOME_UNKNOWN'],
    ['usdm place 400 -1006', 'OUTCOME_UNKNOWN'],
    ['usdm place 408 -1007', 'OUTCOME_UNKNOWN'],
    ['usdm place 408 -', 'OUTCOME_UNKNOWN'],
    ['spot place 408 -', 'OUTCOME_UNKNOWN'],
    ['spot place 409 -', 'OUTCOME_UNKNOWN'],
    ['spot place 500 -', 'OUTCOME_UNKNOWN'],
    ['spot place 502 - "<html>Bad Gateway</html>"', 'OUTCOME_UNKNOWN'],
    ['spot place 503 - "Service Unavailable."', 'OUTCOME_UNKNOWN'],
    ['spot place 503 -1008 "Server is currently overloaded with other requests."', 'OUTCOME_UNKNOWN'],
    ['spot place 503 -1016 "This service is no longer available."', 'OUTCOME_UNKNOWN'],
    ['spot place 503 -2010 "Account has insufficient balance for requested action."', 'OUTCOME_UNKNOWN'],
    ['spot place 520 -', 'OUTCOME_UNKNOWN'],
    ['spot place 200 -', 'OUTCOME_UNKNOWN'],
    ['spot place 302 -', 'OUTCOME_UNKNOWN'],
    ['spot place - -', 'OUTCOME_UNKNOWN'],
    ['spot place - -9876', 'OUTCOME_UNKNOWN'],
    ['spot place 200 -9876', 'OUTCOME_UNKNOWN'],
    ['usdm place 503 - "Unknown error, please check your request or try again later."', 'OUTCOME_UNKNOWN'],
    ['usdm place 503 - "<html><h1>503 Service Temporarily Unavailable</h1></html>"', 'OUTCOME_UNKNOWN'],
    ['usdm place 503 - "<title>503 Service Unavailable.</title>"', 'OUTCOME_UNKNOWN'],
    ['usdm place 503 -', 'OUTCOME_UNKNOWN'],
    ['usdm place 502 - "Service Unavailable."', 'OUTCOME_UNKNOWN'],
    ['usdm place 504 -', 'OUTCOME_UNKNOWN'],
    ['usdm place 400 -4083', 'OUTCOME_UNKNOWN'],
    // Documented as not executed.
    ['usdm place 503 - "Service Unavailable."', 'UNAVAILABLE'],
    ['coinm place 503 - "Service Unavailable."', 'UNAVAILABLE'],
    ['usdm place 503 - "Internal error; unable to process your request. Please try again."', 'UNAVAILABLE'],
    ['usdm place 503 -1008 "Request throttled by system-level protection. Please try again."', 'UNAVAILABLE'],
    ['usdm place 503 -1008 "Server is currently overloaded with other requests."', 'UNAVAILABLE'],
    ['spot place 400 -1008', 'UNAVAILABLE'],
    ['spot place 400 -1010 "System is under maintenance."', 'UNAVAILABLE'],
    // Limits and bans.
    ['spot place 429 -', 'RATE_LIMIT'],
    ['spot place 418 -1003 "Way too much request weight used; IP banned until 1750000060000."', 'BANNED'],
    ['spot place 418 -', 'BANNED'],
    ['spot place 429 -1003 "Way too many requests; IP banned until 1750000060000."', 'BANNED'],
    ['spot place 403 - "<html>Forbidden</html>"', 'BANNED'],
    // Clock.
    ['spot place 400 -1021', 'CLOCK'],
    ['usdm place 400 -1021', 'CLOCK'],
    ['usdm place 400 -5028', 'CLOCK'],
    ['coinm place 400 -4188', 'CLOCK'],
    // Keys.
    ['spot place 400 -2014', 'AUTH'],
    ['spot place 401 -2015', 'AUTH'],
    ['spot place 403 -2015', 'AUTH'],
    ['spot place 400 -2008', 'AUTH'],
    ['usdm place 400 -2017', 'AUTH'],
    ['spot place 400 -1022', 'AUTH'],
    ['spot place 400 -1002', 'AUTH'],
    ['usdm place 400 -1099', 'AUTH'],
    ['spot place 401 -', 'AUTH'],
    // Restrictions.
    ['usdm place 400 -2023', 'RESTRICTED'],
    ['usdm place 400 -4109', 'RESTRICTED'],
    ['usdm place 400 -4189', 'RESTRICTED'],
    ['coinm place 400 -4189', 'RESTRICTED'],
    ['usdm place 400 -4192', 'RESTRICTED'],
    ['usdm place 400 -4400', 'RESTRICTED'],
    ['usdm place 400 -4401', 'RESTRICTED'],
    ['usdm place 400 -4402', 'RESTRICTED'],
    ['usdm place 400 -4403', 'RESTRICTED'],
    ['spot place 451 - "Service unavailable from a restricted location."', 'RESTRICTED'],
    // Funds.
    ['usdm place 400 -2018', 'FUNDS'],
    ['usdm place 400 -2019', 'FUNDS'],
    ['usdm place 400 -2028', 'FUNDS'],
    ['usdm place 400 -4050', 'FUNDS'],
    ['usdm place 400 -4051', 'FUNDS'],
    // Bad requests.
    ['spot place 400 -1100', 'INVALID'],
    ['spot place 400 -1102', 'INVALID'],
    ['spot place 400 -1116', 'INVALID'],
    ['spot place 400 -1117', 'INVALID'],
    ['spot place 400 -1121', 'INVALID'],
    ['spot place - -1121', 'INVALID'],
    ['usdm place 400 -4001', 'INVALID'],
    ['usdm place 400 -4014', 'INVALID'],
    ['usdm place 400 -4033', 'INVALID'],
    ['usdm place 400 -4164', 'INVALID'],
    ['usdm place 400 -4120', 'INVALID'],
    ['spot place 400 -9876', 'INVALID'],
    ['spot place 404 -', 'INVALID'],
    // The market says no.
    ['usdm place 400 -2020', 'MARKET_REJECT'],
    ['usdm place 400 -4131', 'MARKET_REJECT'],
    ['usdm place 400 -4016', 'MARKET_REJECT'],
    ['usdm place 400 -4024', 'MARKET_REJECT'],
    ['usdm place 400 -5021', 'MARKET_REJECT'],
    ['usdm place 400 -5022', 'MARKET_REJECT'],
    ['usdm place 400 -2025', 'MARKET_REJECT'],
    ['usdm place 400 -4045', 'MARKET_REJECT'],
    ['spot cancel 400 -2011 "Order was not canceled due to cancel restrictions."', 'MARKET_REJECT'],
    // Symbol not trading.
    ['spot cancel 400 -2011 "Market is closed."', 'SYMBOL_HALTED'],
    ['usdm place 400 -4140', 'SYMBOL_HALTED'],
    ['usdm place 400 -4141', 'SYMBOL_HALTED'],
    ['usdm amend 400 -5024', 'SYMBOL_HALTED'],
    ['usdm place 400 -4105', 'SYMBOL_HALTED'],
    ['usdm place 400 -4106', 'SYMBOL_HALTED'],
    ['usdm place 400 -4107', 'SYMBOL_HALTED'],
    // Done before.
    ['usdm place 400 -4116', 'ALREADY_APPLIED'],
    ['usdm place 400 -4115', 'ALREADY_APPLIED'],
    ['coinm place 400 -4111', 'ALREADY_APPLIED'],
    ['spot place 400 -20132', 'ALREADY_APPLIED'],
    ['usdm amend 400 -4046', 'ALREADY_APPLIED'],
    ['usdm amend 400 -4059', 'ALREADY_APPLIED'],
    ['usdm amend 400 -5027', 'ALREADY_APPLIED'],
    // No such order.
    ['spot cancel 400 -2011 "Unknown order sent."', 'GONE'],
    ['spot query 400 -2013 "Order does not exist."', 'GONE'],
    ['usdm cancel 400 -2011', 'GONE'],
    ['coinm query 400 -2013', 'GONE'],
  ])('%s is %s', (line, category) => expect(categoryOf(line)).toBe(category));
});
