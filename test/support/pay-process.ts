// Somebody's worker in a process of its own: pays <payout>, says so in a line on stdout, and gets stuck before it can answer.
//   node --require …/load-typescript.cjs pay-process.ts <temporal> <redis> <books> <payout>
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import pino from 'pino';
import { payBundle, payPlugin, payWorker } from './pay-worker';
import { payee } from './payouts';

async function main([temporal = '', redis = '', books = '', payoutId = '']: string[]): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const service = payee(books);
  service.script(payoutId, (take, ticket) => {
    ticket.pass();
    take();
    process.stdout.write('{"event":"paid"}\n');
    return new Promise(() => undefined);
  });
  const plugin = await payPlugin(redis, service, pino({ enabled: false })).plugin;
  const connection = await NativeConnection.connect({ address: temporal });
  const worker = await payWorker({ connection, plugin, workflowBundle: await payBundle(plugin) });
  await worker.run();
}

void main(process.argv.slice(2));
