import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

type Import = [file: string, specifier: string, kind?: 'type'];

/** Whether the lint rules refuse each import. */
function refusals(imports: Import[]): boolean[] {
  const out = execFileSync(process.execPath, [join(__dirname, 'lint-imports.mjs'), JSON.stringify(imports)], {
    cwd: root,
    encoding: 'utf8',
  });
  return JSON.parse(out) as boolean[];
}

const REFUSED: Import[] = [
  ['src/domain/x.ts', '../failures/categories'],
  ['src/domain/x.ts', 'zod'],
  ['src/domain/x.ts', 'node:fs'],
  ['src/failures/x.ts', '../redis/client'],
  ['src/failures/x.ts', 'ioredis'],
  ['src/policy/x.ts', '../config/schema'],
  ['src/redis/x.ts', '../interceptors/failure'],
  ['src/venues/binance/x.ts', '../../worker/http'],
  ['src/guard/x.ts', '../cli/main'],
  ['src/config/x.ts', '../../activities/place-order'],
  ['src/interceptors/x.ts', '../worker/http'],
  ['activities/x.ts', '../src/dev/stack'],
  ['workflows/x.ts', 'node:fs'],
  ['workflows/x.ts', 'zod'],
  ['workflows/x.ts', '@temporalio/worker'],
  ['workflows/x.ts', '../src/domain/order.schema'],
  ['workflows/x.ts', '../src/config/schema'],
  ['src/interceptors/workflow/x.ts', '../failure'],
  ['src/interceptors/workflow/x.ts', 'pino'],
  ['src/worker/x.ts', '../dev/stack'],
  ['src/client/x.ts', '../cli/main'],
  ['src/index.ts', './cli/main'],
  ['src/dev/x.ts', '../cli/main'],
  ['src/cli/x.ts', '../../test/support/a'],
  ['bench/x.ts', '../test/support/a'],
];

const ALLOWED: Import[] = [
  ['src/domain/x.ts', 'node:crypto'],
  ['src/domain/x.ts', 'decimal.js'],
  ['src/domain/x.schema.ts', 'zod'],
  ['src/failures/x.ts', '../domain/order'],
  ['src/policy/x.ts', '../config/schema', 'type'],
  ['src/venues/binance/x.ts', '../../domain/order'],
  ['src/metrics/x.ts', 'prom-client'],
  ['src/interceptors/x.ts', '../guard/guard'],
  ['activities/x.ts', '../src/guard/guard'],
  ['workflows/x.ts', '@temporalio/workflow'],
  ['workflows/x.ts', '../src/domain/order'],
  ['workflows/x.ts', '../src/config/schema', 'type'],
  ['workflows/x.ts', '../src/interceptors/workflow/parking'],
  ['src/interceptors/workflow/x.ts', '../failure', 'type'],
  ['src/worker/x.ts', '../client/temporal'],
  ['src/cli/x.ts', '../dev/stack'],
  ['test/unit/x.ts', '../support/a'],
];

test('an import that goes up the floors of the tree is refused by lint, one that goes down is not', () => {
  const refused = refusals([...REFUSED, ...ALLOWED]);
  expect(REFUSED.filter((_, index) => !refused[index])).toEqual([]);
  expect(ALLOWED.filter((_, index) => refused[REFUSED.length + index])).toEqual([]);
});
