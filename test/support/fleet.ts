import { join } from 'node:path';
import { startNodeChild, type NodeChild } from '../../src/dev/node-child';
import { startWatchdog } from '../../src/dev/watchdog';
import { plainEnvironment, type TestStack } from './stack';

export interface Fleet {
  pids: number[];
  stop(): Promise<void>;
}

/** Starting processes need most of a core each for a second: more at a time would only be slower. */
const AT_A_TIME = 4;

/** Many worker processes on the services of one stack. */
export async function startFleet({ stack }: TestStack, size: number): Promise<Fleet> {
  const watchdog = startWatchdog();
  const members: NodeChild[] = [];
  const numbers = Array.from({ length: size }, (_, i) => i + 1);
  const starting = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      const member = await startNodeChild({
        name: `worker ${number}`,
        script: 'bin/fillsafe.js',
        args: ['worker', '--config', stack.info.config],
        logFile: join(stack.info.dataDir, 'logs', `worker-${number}.log`),
        watchdog,
        env: { ...plainEnvironment(), FILLSAFE_METRICS__PORT: '0' },
        timeoutMs: 120_000,
      });
      members.push(member);
    }
  };
  const stop = async (): Promise<void> => {
    await Promise.all(members.map(({ child }) => child.stop()));
    watchdog.close();
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, starting));
  } catch (error) {
    await stop();
    throw error;
  }
  return { pids: members.map(({ ready }) => Number(ready['pid'])), stop };
}
