import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino from 'pino';
import { loadConfig } from '../src/config/load';
import type { FillsafeConfig } from '../src/config/schema';
import type { PlaceOrderInput } from '../src/domain/order';
import { createVenues } from '../src/venues/create-venues';
import { runWorker } from '../src/worker/run-worker';

// The worker of one side in a process of its own, so that its CPU time is its alone. Asked for by any message, it answers
// with the CPU time that it has used, in ms.

async function main(side: string, configFile: string): Promise<void> {
  const config = loadConfig({ file: configFile });
  const stop = side === 'bare' ? await runBare(config) : await runGuarded(config);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMs: (user + system) / 1_000 });
  });
  process.once('disconnect', () => void stop().then(() => process.exit(0)));
  process.send?.({ event: 'ready' });
}

async function runGuarded(config: FillsafeConfig): Promise<() => Promise<void>> {
  const worker = await runWorker({ ...config, metrics: { ...config.metrics, port: 0 } }, pino({ level: 'silent' }));
  return async () => {
    worker.shutdown();
    await worker.done;
  };
}

/** The same adapter and the same layout of queues and pollers, without plugin, interceptors, Redis and metrics. */
async function runBare(config: FillsafeConfig): Promise<() => Promise<void>> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const venue = createVenues(config).get('paper');
  if (!venue) throw new Error('the configuration names no venue "paper"');
  await venue.syncClock();
  const place = (order: PlaceOrderInput) => venue.placeOrder(order, order.intentId, () => undefined);
  const connection = await NativeConnection.connect({ address: config.temporal.address ?? '127.0.0.1:7233' });
  const bundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('./bare-workflow'),
    logger: new DefaultLogger('ERROR'),
  });
  const autoscaling = { type: 'autoscaling' } as const;
  const effects = ['bare.order.place.paper', 'bare.order.cancel.paper', 'bare.lookup.paper'];
  const workers = await Promise.all([
    Worker.create({
      connection,
      taskQueue: 'bare',
      workflowBundle: bundle,
      activities: { place },
      workflowTaskPollerBehavior: autoscaling,
    }),
    ...effects.map((taskQueue) =>
      Worker.create({
        connection,
        taskQueue,
        activities: { place },
        maxConcurrentActivityTaskExecutions: config.worker.concurrency,
        activityTaskPollerBehavior: autoscaling,
      }),
    ),
  ]);
  const ended = Promise.all(workers.map((worker) => worker.run()));
  return async () => {
    for (const worker of workers) worker.shutdown();
    await ended;
    await connection.close();
  };
}

main(process.argv[2] ?? '', process.argv[3] ?? '').catch((error: unknown) => {
  process.stderr.write(`bench worker: ${String(error)}\n`);
  process.exit(1);
});
