import { fork } from 'node:child_process';
import { join } from 'node:path';

export type Side = 'bare' | 'guarded';

export interface WorkerHandle {
  /** CPU time that the process has used since its start, ms. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the worker of one side in a process of its own. Resolves when it polls. */
export async function startBenchWorker(side: Side, configFile: string): Promise<WorkerHandle> {
  const child = fork(join(__dirname, 'worker-process.js'), [side, configFile], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const answer = (): Promise<{ cpuMs: number }> =>
    new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as { cpuMs: number }));
      void exited.then(() => reject(new Error(`the ${side} worker ended`)));
    });
  await answer();
  return {
    cpuMs: async () => {
      const told = answer();
      child.send('cpu');
      return (await told).cpuMs;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(kill);
    },
  };
}
