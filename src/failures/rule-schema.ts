import { z } from 'zod';

import { FAILURE_CATEGORIES } from './categories';

const oneOrMany = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).min(1)]);

const httpStatus = z.union([
  z.int().min(100).max(599),
  z.enum(['none', '1xx', '2xx', '3xx', '4xx', '5xx'], { error: 'expected a status, a class such as "5xx", or "none"' }),
]);

const RANGE = /^(-?\d+)\.\.(-?\d+)$/;

const code = z.union([
  z.int(),
  z.string().refine((text) => {
    const range = RANGE.exec(text);
    return range === null ? /^[A-Z][A-Z0-9_]*$/.test(text) : Number(range[1]) < Number(range[2]);
  }, 'expected a number, a name such as "ECONNREFUSED", or a range "low..high" with low below high'),
]);

const message = z
  .string()
  .min(1)
  .refine((text) => patternOf(text) !== undefined, 'expected a text or a valid "/regular expression/"');

export const ruleSchema = z.strictObject({
  /** Unique in its file. */
  id: z.string().regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and hyphens'),
  match: z.strictObject({
    operation: oneOrMany(z.enum(['place', 'cancel', 'amend', 'query'])).optional(),
    phase: oneOrMany(z.enum(['before_send', 'after_send', 'response'])).optional(),
    httpStatus: oneOrMany(httpStatus).optional(),
    code: oneOrMany(code).optional(),
    message: oneOrMany(message).optional(),
  }),
  category: z.enum(FAILURE_CATEGORIES),
  retry: z.enum(['never', 'now', 'backoff', 'after']).optional(),
  countsForBreaker: z.boolean().optional(),
  reconcile: z.boolean().optional(),
  scope: z.enum(['none', 'intent', 'symbol', 'account', 'key', 'ip', 'endpoint', 'exchange']).optional(),
});
export type Rule = z.infer<typeof ruleSchema>;

/** `transport.yaml` and `fall-through.yaml` speak for all exchanges and have neither `exchange` nor `markets`. */
export const ruleFileSchema = z.strictObject({
  exchange: z.string().min(1).optional(),
  markets: z.array(z.string().min(1)).min(1).optional(),
  rules: z.array(ruleSchema).min(1),
});

/** The bounds of a code range, `undefined` for anything else. */
export function rangeOf(text: string): { low: number; high: number } | undefined {
  const range = RANGE.exec(text);
  return range === null ? undefined : { low: Number(range[1]), high: Number(range[2]) };
}

/** The text or expression of a `message` condition, without regard to case; `undefined` when it does not compile. */
export function patternOf(text: string): RegExp | undefined {
  const expression = /^\/(.*)\/$/s.exec(text)?.[1] ?? text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  try {
    return new RegExp(expression, 'i');
  } catch {
    return undefined;
  }
}
