// Places one order through the typed client. Run it twice: the second run answers from the first, with replayed: true.
//   npx fillsafe dev                 (in another terminal; it prints the addresses)
//   FILLSAFE_CONFIG=.fillsafe/fillsafe.yaml node examples/place-order.ts
// Node 22.18 or newer runs TypeScript as it is; with an older one use `npx tsx examples/place-order.ts`.
import { connectFillsafe } from 'fillsafe';

async function main(): Promise<void> {
  const fillsafe = await connectFillsafe();
  try {
    const { order, replayed, attempts } = await fillsafe.placeOrder({
      intentId: process.argv[2] ?? 'example-ts-1',
      venue: 'paper',
      symbol: 'XRPETH',
      side: 'BUY',
      type: 'LIMIT',
      quantity: '23',
      price: '0.00141',
    });
    console.log({ orderId: order.orderId, status: order.status, executed: order.executedQuantity, replayed, attempts });
  } finally {
    await fillsafe.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
