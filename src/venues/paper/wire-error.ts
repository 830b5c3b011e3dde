/** A refusal as Binance puts it: HTTP status and the body `{code, msg}`. */
export class WireError extends Error {
  override readonly name = 'WireError';

  constructor(
    readonly code: number,
    msg: string,
    readonly status: number = 400,
    readonly headers: Record<string, string> = {},
  ) {
    super(msg);
  }

  get body(): { code: number; msg: string } {
    return { code: this.code, msg: this.message };
  }
}

export const missingParameter = (name: string): WireError =>
  new WireError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
export const illegalCharacters = (name: string, legal: string): WireError =>
  new WireError(-1100, `Illegal characters found in parameter '${name}'; legal range is '${legal}'.`);
export const notRequired = (name: string): WireError =>
  new WireError(-1106, `Parameter '${name}' sent when not required.`);
export const tooMuchPrecision = (name: string): WireError =>
  new WireError(-1111, `Parameter '${name}' has too much precision.`);
export const filterFailure = (filter: string): WireError => new WireError(-1013, `Filter failure: ${filter}`);
export const orderRejected = (msg: string): WireError => new WireError(-2010, msg);
export const insufficientBalance = (): WireError =>
  orderRejected('Account has insufficient balance for requested action.');
export const unknownOrderSent = (): WireError => new WireError(-2011, 'Unknown order sent.');
export const noSuchOrder = (): WireError => new WireError(-2013, 'Order does not exist.');
export const invalidSymbol = (): WireError => new WireError(-1121, 'Invalid symbol.');

export const tooMuchWeight = (limit: number, retryAfterSeconds: number): WireError =>
  new WireError(
    -1003,
    `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`,
    429,
    { 'Retry-After': String(retryAfterSeconds) },
  );
export const tooManyOrders = (limit: number, per: string, retryAfterSeconds: number): WireError =>
  new WireError(-1015, `Too many new orders; current limit is ${limit} orders per ${per}.`, 429, {
    'Retry-After': String(retryAfterSeconds),
  });
export const banned = (untilMs: number, retryAfterSeconds: number): WireError =>
  new WireError(
    -1003,
    `Way too much request weight used; IP banned until ${untilMs}. Please use WebSocket Streams for live updates to avoid bans.`,
    418,
    { 'Retry-After': String(retryAfterSeconds) },
  );
export const backendTimeout = (status = 504): WireError =>
  new WireError(
    -1007,
    'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
    status,
  );
export const internalError = (status = 503): WireError =>
  new WireError(-1001, 'Internal error; unable to process your request. Please try again.', status);
