// Effects of your own, in a worker of your own: a payout whose answer gets lost, and a voucher that nobody can look up.
//   npx fillsafe dev                 (in another terminal; it prints the addresses)
//   TEMPORAL_ADDRESS=127.0.0.1:7233 REDIS_URL=redis://127.0.0.1:… npx tsx examples/own-effect.ts
// Run it twice with the same name as argument: the second run pays nothing and gets the first one's answers.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createFillsafePlugin, defineEffect, notApplied, refused } from 'fillsafe';

export interface Payout {
  payoutId: string;
  iban: string;
  amount: string;
}
export interface Receipt {
  receiptId: string;
}

/** With a look-up: a lost answer is found out, and what surely did not happen is sent again. */
const payoutSend = (bank: string) =>
  defineEffect<Payout, Receipt>({
    jobType: 'payout.send',
    intentId: (payout) => payout.payoutId,
    // This bank acts on a request within 30 s or never.
    whenUnknown: { onAbsent: 'resend', quiesceMs: 30_000 },
    whenStoreDown: 'refuse',
    run: async (payout, ticket) => {
      const body = JSON.stringify(payout);
      ticket.pass(); // right before the first byte leaves
      const response = await fetch(`${bank}/payouts/${payout.payoutId}`, {
        method: 'POST',
        body,
        signal: AbortSignal.timeout(10_000),
      });
      if (response.status === 402) throw refused('FUNDS', await response.text());
      if (response.status === 429) throw notApplied('the bank is busy', { retryAfterMs: 5_000 });
      // Anything else that goes wrong, a lost connection included: nobody knows whether it was paid.
      if (!response.ok) throw new Error(`the bank said ${response.status}`);
      return (await response.json()) as Receipt;
    },
    lookup: async ({ payoutId }) => {
      const response = await fetch(`${bank}/payouts/${payoutId}`);
      if (response.status === 404) return { kind: 'absent', evidence: `the bank knows no payout ${payoutId}` };
      if (!response.ok) return { kind: 'inconclusive', evidence: `the bank said ${response.status}` };
      return { kind: 'found', result: (await response.json()) as Receipt };
    },
  });

/** Without one: done at most once. When its answer is lost, it waits for `fillsafe guard resolve … --type voucher.print`. */
const voucherPrint = defineEffect<{ voucherId: string }, { page: number }>({
  jobType: 'voucher.print',
  intentId: (voucher) => voucher.voucherId,
  whenUnknown: 'manual',
  whenStoreDown: 'refuse',
  run: (voucher, ticket) => {
    ticket.pass();
    console.log(`printing voucher ${voucher.voucherId}`);
    return Promise.resolve({ page: 1 });
  },
});

/** A bank on this machine that pays once per request, and loses the answer to the first. */
async function startBank(): Promise<Server> {
  const paid = new Map<string, Receipt>();
  let answers = 0;
  const bank = createServer((request, response) => {
    const payoutId = request.url?.split('/')[2] ?? '';
    if (request.method === 'POST') {
      console.log(`the bank pays ${payoutId}${paid.has(payoutId) ? ' AGAIN' : ''}`);
      paid.set(payoutId, { receiptId: `receipt-of-${payoutId}` });
      if ((answers += 1) === 1) return void request.socket.destroy();
    }
    const receipt = paid.get(payoutId);
    return void response.writeHead(receipt ? 200 : 404).end(JSON.stringify(receipt ?? {}));
  });
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  return bank;
}

async function main(name = 'example-own-1'): Promise<void> {
  const address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233';
  const bank = await startBank();
  const { port } = bank.address() as AddressInfo;
  const ownEffects = [payoutSend(`http://127.0.0.1:${port}`), voucherPrint];
  const fillsafe = await createFillsafePlugin({ ownEffects });
  const connection = await NativeConnection.connect({ address });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const taskQueue = 'own-effect-example';
  const workflowsPath = join(process.cwd(), 'examples', 'own-effect-workflows.ts');
  const worker = await Worker.create({ connection, taskQueue, workflowsPath, plugins: [fillsafe] });
  const args: [string] = [name];
  const result = await worker.runUntil(() =>
    client.workflow.execute('payAndPrint', { workflowId: `payAndPrint:${name}:${Date.now()}`, taskQueue, args }),
  );
  console.log(JSON.stringify(result));
  await fillsafe.close();
  await client.connection.close();
  await connection.close();
  bank.close();
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
