import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../../src/dev/redis';
import type { RunningService } from '../../src/dev/running-service';
import { startTemporal } from '../../src/dev/temporal';

const root = join(__dirname, '..', '..');
const LOADER = join(root, 'test', 'unit', 'dev', 'load-typescript.cjs');
const dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-example-'));
let temporal: RunningService;
let redis: RunningService;

beforeAll(async () => {
  const quiet = { dataDir, log: () => undefined };
  [temporal, redis] = await Promise.all([startTemporal(quiet), startRedis(quiet)]);
}, 120_000);
afterAll(async () => {
  await Promise.all([temporal?.stop(), redis?.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs the example as a reader would; its lines that are not the log's. */
async function runExample(): Promise<string[]> {
  const env = { ...process.env, TEMPORAL_ADDRESS: temporal.address, REDIS_URL: redis.address };
  const child = spawn(process.execPath, ['--require', LOADER, 'examples/own-effect.ts', 'once'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(errors);
  return out.split('\n').filter((line) => line !== '' && !line.startsWith('{"level"'));
}

test('the example of own effects pays and prints once, over a lost answer and a second run', async () => {
  const done = (replayed: boolean): string =>
    JSON.stringify({
      payout: { intentId: 'once', status: 'done', result: { receiptId: 'receipt-of-once' }, replayed, attempts: 1 },
      voucher: { intentId: 'once', status: 'done', result: { page: 1 }, replayed, attempts: 1 },
    });
  expect(await runExample()).toEqual(['the bank pays once', 'printing voucher once', done(false)]);
  expect(await runExample()).toEqual([done(true)]);
}, 120_000);
