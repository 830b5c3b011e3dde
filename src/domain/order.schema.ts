import { z } from 'zod';
import { isDecimalString, isPositive } from './decimal';
import { INTENT_ID_PATTERN, INTENT_ID_RULE, JOBS, type JobType } from './job-types';
import {
  ORDER_SIDES,
  ORDER_TYPES,
  TIMES_IN_FORCE,
  type CancelOrderInput,
  type OrderType,
  type PlaceOrderInput,
} from './order';

/** No venue trades in finer steps; more decimals are what binary floats leave behind. */
const MOST_DECIMALS = 12;

/** The input of a job cannot be used. `problems` name each field, its value and what is allowed. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
  readonly isInvalidInput = true;

  constructor(
    readonly what: string,
    readonly problems: string[],
  ) {
    super(`${what} refused: ${problems.join('; ')}`);
  }
}

export function isInvalidInput(error: unknown): error is InvalidInputError {
  return typeof error === 'object' && error !== null && 'isInvalidInput' in error;
}

const allowed = (text: string) => ({ error: text });

const amount = z.unknown().transform((value, context) => {
  const refuse = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  if (typeof value === 'number') {
    return refuse(`must be a decimal string, not a number: "${value}" in quotes keeps every digit`);
  }
  if (!isDecimalString(value))
    return refuse('must be a plain decimal string like "0.00141": no sign, exponent or spaces');
  if (!isPositive(value)) return refuse('must be above zero');
  const decimals = value.split('.')[1]?.length ?? 0;
  if (decimals > MOST_DECIMALS) {
    return refuse(
      `has ${decimals} decimals, at most ${MOST_DECIMALS} are allowed: this looks like float noise, round it`,
    );
  }
  return value;
});

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const EARLIEST_MS = 1_000_000_000_000;

const time = z.unknown().transform((value, context) => {
  const ms =
    typeof value === 'string' && ISO_TIME.test(value)
      ? Date.parse(value)
      : typeof value === 'string' && /^\d{13}$/.test(value)
        ? Number(value)
        : value;
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= EARLIEST_MS && ms < EARLIEST_MS * 10) return ms;
  context.addIssue({
    code: 'custom',
    message: 'must be epoch milliseconds (1515568500000) or ISO 8601 with a zone (2018-01-10T07:15:00Z)',
  });
  return z.NEVER;
});

const text = (most: number, pattern: RegExp, error: string) =>
  z.string(allowed(error)).max(most, allowed(error)).regex(pattern, allowed(error));
const intentId = text(64, INTENT_ID_PATTERN, INTENT_ID_RULE);
const venueName = text(32, /^[a-z0-9][a-z0-9-]{0,31}$/, 'must be the name of a configured venue');
const account = text(64, /^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -');
const symbol = text(32, /^[A-Z0-9]{2,32}$/, "must be a symbol in the venue's spelling, like XRPETH");
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, allowed(`must be one of ${values.join(', ')}`));

const placeOrder = z.strictObject({
  intentId,
  venue: venueName,
  account: account.optional(),
  symbol,
  side: oneOf(ORDER_SIDES),
  type: oneOf(ORDER_TYPES),
  quantity: amount.optional(),
  quoteQuantity: amount.optional(),
  price: amount.optional(),
  stopPrice: amount.optional(),
  timeInForce: oneOf(TIMES_IN_FORCE).optional(),
  decidedAt: time.optional(),
  expiresAt: time.optional(),
  strategy: z.string().max(128).optional(),
  tags: z.record(z.string().max(64), z.string().max(256)).optional(),
});

/** Per order type: fields that must be there and fields that must not. */
const SHAPES: Record<OrderType, { needs: string[]; refuses: string[] }> = {
  LIMIT: { needs: ['quantity', 'price'], refuses: ['quoteQuantity', 'stopPrice'] },
  MARKET: { needs: [], refuses: ['price', 'stopPrice', 'timeInForce'] },
  LIMIT_MAKER: { needs: ['quantity', 'price'], refuses: ['quoteQuantity', 'stopPrice', 'timeInForce'] },
  STOP_LOSS: { needs: ['quantity', 'stopPrice'], refuses: ['quoteQuantity', 'price', 'timeInForce'] },
  TAKE_PROFIT: { needs: ['quantity', 'stopPrice'], refuses: ['quoteQuantity', 'price', 'timeInForce'] },
  STOP_LOSS_LIMIT: { needs: ['quantity', 'price', 'stopPrice'], refuses: ['quoteQuantity'] },
  TAKE_PROFIT_LIMIT: { needs: ['quantity', 'price', 'stopPrice'], refuses: ['quoteQuantity'] },
};

function shapeProblems(order: Record<string, unknown> & { type: OrderType }): string[] {
  const { needs, refuses } = SHAPES[order.type];
  const problems = [
    ...needs
      .filter((name) => order[name] === undefined)
      .map((name) => `${name}: missing, a ${order.type} order needs it`),
    ...refuses.filter((name) => order[name] !== undefined).map((name) => `${name}: a ${order.type} order has none`),
  ];
  if (order.type === 'MARKET' && (order['quantity'] === undefined) === (order['quoteQuantity'] === undefined)) {
    problems.push('quantity: a MARKET order needs exactly one of quantity and quoteQuantity');
  }
  return problems;
}

/** Types that carry a time in force; GTC where the caller gave none, as every venue needs one. */
const WITH_TIME_IN_FORCE: readonly OrderType[] = ['LIMIT', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT_LIMIT'];

/** Checks the input of `placeOrder`; throws an `InvalidInputError` that names every bad field. */
export function parsePlaceOrder(input: unknown): PlaceOrderInput {
  const order = check('order.place', placeOrder, input);
  const problems = shapeProblems(order);
  if (problems.length > 0) throw new InvalidInputError('order.place', problems);
  if (order.timeInForce === undefined && WITH_TIME_IN_FORCE.includes(order.type)) order.timeInForce = 'GTC';
  return order as PlaceOrderInput;
}

const cancelOrder = z.strictObject({
  intentId,
  venue: venueName,
  account: account.optional(),
  symbol,
  orderIntentId: intentId.optional(),
  clientOrderId: text(36, /^[A-Za-z0-9_-]{1,36}$/, 'must be 1 to 36 of A-Z a-z 0-9 _ -').optional(),
  orderId: text(20, /^\d{1,20}$/, 'must be a string of digits: large numbers lose theirs').optional(),
});

/** Checks the input of `cancelOrder`; throws an `InvalidInputError` that names every bad field. */
export function parseCancelOrder(input: unknown): CancelOrderInput {
  const cancel = check('order.cancel', cancelOrder, input);
  const given = [cancel.orderIntentId, cancel.clientOrderId, cancel.orderId].filter((id) => id !== undefined).length;
  if (given !== 1) {
    const problem = `orderIntentId: exactly one of orderIntentId, clientOrderId and orderId must be given, not ${given}`;
    throw new InvalidInputError('order.cancel', [problem]);
  }
  return cancel as CancelOrderInput;
}

export type JobInput = PlaceOrderInput | CancelOrderInput;

/** Checks the input of any job type. */
export function parseJobInput(jobType: JobType, input: unknown): JobInput {
  return jobType === 'order.place' ? parsePlaceOrder(input) : parseCancelOrder(input);
}

function check<T extends z.ZodType>(what: JobType, schema: T, input: unknown): z.output<T> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidInputError(what, [`input of ${JOBS[what].activity}: must be one object, got ${shown(input)}`]);
  }
  // `null` is how other languages say "not given".
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new InvalidInputError(
    what,
    result.error.issues.flatMap((issue) =>
      problemsOf(issue, given, Object.keys((schema as unknown as { shape: object }).shape)),
    ),
  );
}

function problemsOf(issue: z.core.$ZodIssue, input: Record<string, unknown>, known: string[]): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${key}: there is no such field; known are ${known.join(', ')}`);
  }
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], input);
  const path = issue.path.map(String).join('.');
  return [value === undefined ? `${path}: missing, ${issue.message}` : `${path}: ${shown(value)} ${issue.message}`];
}

function shown(value: unknown): string {
  const json = typeof value === 'bigint' ? `${value}n` : jsonOf(value);
  return json === undefined ? String(value) : json.length > 60 ? `${json.slice(0, 60)}…` : json;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return 'a value that JSON cannot carry';
  }
}
