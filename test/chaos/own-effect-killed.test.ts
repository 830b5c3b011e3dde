import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { payday } from '../support/payday';

const LOADER = join(__dirname, '../unit/dev/load-typescript.cjs');
const desk = payday({ worker: false });

test('an effect whose worker is killed (-9) between the act and its answer happened once, and another worker says so', async () => {
  const { running, service, books, aPayout, start, startWorker, endOf } = desk;
  const payout = aPayout();
  const args = [running.temporal.address, running.redis.address, books, payout.payoutId];
  const child = spawn(process.execPath, ['--require', LOADER, join(__dirname, '../support/pay-process.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const handle = await start('payout.send', payout);
  for await (const line of createInterface(child.stdout)) if (line.includes('"paid"')) child.kill('SIGKILL');
  await gone;
  expect(service.taken(payout.payoutId)).toHaveLength(1);

  await startWorker();
  expect(await endOf(handle)).toMatchObject({ done: { result: { receiptId: `r-1-${payout.payoutId}` } } });
  expect(service.taken(payout.payoutId)).toHaveLength(1);
  expect(service.runsOf(payout.payoutId)).toBe(0);
}, 120_000);
