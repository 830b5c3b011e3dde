import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { isDecimalString } from '../../domain/decimal';
import { packageRoot } from '../../package-root';

const amount = z.custom<string>(
  (value) => isDecimalString(value) && !value.startsWith('-'),
  'write the amount as a quoted decimal string, such as "0.001"',
);
const count = z.number().int().positive();

const filtersSchema = z.strictObject({
  price: z.strictObject({ min: amount, max: amount, tick: amount }),
  lot: z.strictObject({ min: amount, max: amount, step: amount }),
  notional: z.strictObject({
    min: amount,
    max: amount.default('0'),
    apply_min_to_market: z.boolean().default(true),
    apply_max_to_market: z.boolean().default(false),
  }),
  max_num_orders: count.optional(),
});

const symbolSchema = z.strictObject({
  symbol: z.string().regex(/^[A-Z0-9]{2,20}$/),
  base_asset: z.string().min(1),
  quote_asset: z.string().min(1),
  status: z.enum(['TRADING', 'HALT', 'BREAK']).default('TRADING'),
  initial_price: amount,
  filters: filtersSchema,
});

const walkSchema = z.strictObject({
  tick_ms: count.default(250),
  step_bps: count.default(40),
  range_bps: count.max(5000).default(150),
  follow_percent: z.number().min(0).default(50),
  revisit_ticks: count.default(8),
  partial_probability: z.number().min(0).max(1).default(0.2),
});

const limitsSchema = z.strictObject({
  weight_per_minute: count.default(1_000_000),
  orders_per_10s: count.default(1_000_000),
  orders_per_day: count.default(100_000_000),
});

const configSchema = z
  .strictObject({
    seed: z.number().int(),
    api_keys: z
      .array(z.strictObject({ key: z.string().min(1), secret: z.string().min(1), account: z.string().default('main') }))
      .min(1),
    accounts: z.record(z.string(), z.record(z.string(), amount)),
    commission: amount.default('0.001'),
    symbols: z.array(symbolSchema).min(1),
    walk: walkSchema.prefault({}),
    limits: limitsSchema.prefault({}),
  })
  .superRefine((config, context) => {
    for (const [index, { account }] of config.api_keys.entries()) {
      if (config.accounts[account]) continue;
      context.addIssue({
        code: 'custom',
        path: ['api_keys', index, 'account'],
        message: `add "${account}" to accounts`,
      });
    }
  });

/** Settings of a paper venue. `config/paper-venue.yaml` tells what each of them does. */
export type PaperVenueConfig = z.output<typeof configSchema>;
export type SymbolConfig = PaperVenueConfig['symbols'][number];

/** Where the default settings lie. */
export const defaultPaperConfigFile: string = join(packageRoot, 'config', 'paper-venue.yaml');

/** Checks settings. Throws an Error that names each bad one and what is allowed. */
export function parsePaperConfig(input: unknown): PaperVenueConfig {
  const result = configSchema.safeParse(input);
  if (result.success) return result.data;
  throw new Error(`the paper venue's configuration is not valid:\n${z.prettifyError(result.error)}`);
}

/** Reads and checks settings from a YAML or JSON file; the default one unless `file` is given. */
export function loadPaperConfig(file: string = defaultPaperConfigFile): PaperVenueConfig {
  return parsePaperConfig(parse(readFileSync(file, 'utf8')));
}
