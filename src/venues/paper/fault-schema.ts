import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const ms = z.number().int().min(0);
const status = z.number().int().min(400).max(599);
/** What an error answers: a text, or an object sent as JSON. */
const body = z.union([z.string(), z.record(z.string(), z.unknown())]);

const matchSchema = z.strictObject({
  method: z
    .string()
    .transform((method) => method.toUpperCase())
    .optional(),
  /** Exact, or with a `*` at the end. */
  path: z.string().startsWith('/').optional(),
  /** Compared with newClientOrderId and origClientOrderId, so it works before the order exists. */
  clientOrderId: z.string().optional(),
  symbol: z.string().optional(),
  /** Only from the n-th matching request on, 1 being the first. */
  nth: z.number().int().positive().optional(),
  probability: z.number().min(0).max(1).optional(),
});

const common = {
  match: matchSchema.prefault({}),
  /** How often it strikes; for ever if left out, but once with `nth`. */
  times: z.number().int().positive().optional(),
  /** Strikes from this many ms after it was added ... */
  afterMs: ms.optional(),
  /** ... and for this long. */
  forMs: ms.optional(),
};

const error = { status: status.default(503), body: body.optional() };
const holdOff = (defaultSeconds: number) => ({ retryAfterSeconds: z.number().int().min(0).default(defaultSeconds) });

const faultSchema = z.discriminatedUnion('kind', [
  // The connection breaks and nothing is done.
  z.strictObject({ ...common, kind: z.literal('drop_before') }),
  // The request is done, the connection breaks, the answer is lost.
  z.strictObject({ ...common, kind: z.literal('drop_after') }),
  // The answer is late, because the request is done late or because the answer was held up.
  z.strictObject({ ...common, kind: z.literal('delay'), ms, phase: z.enum(['before', 'after']).default('before') }),
  // The same error, by default 503, with the request done or not: nobody can tell from outside.
  z.strictObject({ ...common, kind: z.literal('error_5xx_executed'), ...error }),
  z.strictObject({ ...common, kind: z.literal('error_5xx_not_executed'), ...error }),
  // 429 and 418, each with Retry-After. With `forMs` a ban lasts.
  z.strictObject({ ...common, kind: z.literal('rate_limit'), ...holdOff(1) }),
  z.strictObject({ ...common, kind: z.literal('ban'), ...holdOff(120) }),
  // The order is taken, yet order look-up, open orders, all orders and trades do not show it for a while.
  z.strictObject({ ...common, kind: z.literal('lookup_lag'), ms }),
  // No answer ever, nothing done.
  z.strictObject({ ...common, kind: z.literal('black_hole') }),
  // Done after `ms`, even if the client has long gone; no answer ever, or -1007 at once.
  z.strictObject({
    ...common,
    kind: z.literal('late_execution'),
    ms,
    answer: z.enum(['none', 'error']).default('none'),
    status: status.default(504),
    body: body.optional(),
  }),
  // Done, and answered with status 200 and the first half of the JSON.
  z.strictObject({ ...common, kind: z.literal('corrupt') }),
]);

/** A fault as an admin or a scenario file writes it. */
export type FaultInput = z.input<typeof faultSchema>;
export type Fault = z.output<typeof faultSchema>;
export type FaultKind = Fault['kind'];
export type FaultOf<Kind extends FaultKind> = Extract<Fault, { kind: Kind }>;

/** Checks one fault, a list, or `{faults: [...]}`. Throws an Error that names what is wrong. */
export function parseFaults(input: unknown): Fault[] {
  const result = z.array(faultSchema).safeParse(listOf(input));
  if (result.success) return result.data;
  throw new Error(`the faults are not valid:\n${z.prettifyError(result.error)}`);
}

function listOf(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return 'faults' in input ? input.faults : [input];
}

/** Reads the faults of a scenario file, YAML or JSON. */
export function loadScenario(file: string): Fault[] {
  return parseFaults(parse(readFileSync(file, 'utf8')));
}
