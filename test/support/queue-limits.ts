import type { Client } from '@temporalio/client';

export interface QueueLimit {
  requestsPerSecond: number;
  reason: string;
}
type Update = {
  taskQueue: string;
  updateQueueRateLimit: { rateLimit?: { requestsPerSecond: number }; reason: string };
};

/** Temporal as far as the limits of its queues go; `fails` throws what a call of this name meets. */
export function queueLimits(
  limits: Map<string, QueueLimit>,
  fails: (call: 'describe' | 'update') => void = () => undefined,
): Client {
  const workflowService = {
    describeTaskQueue: async ({ taskQueue }: { taskQueue: { name: string } }) => {
      fails('describe');
      const limit = limits.get(taskQueue.name);
      if (!limit) return { config: {} };
      const { requestsPerSecond, reason } = limit;
      return { config: { queueRateLimit: { rateLimit: { requestsPerSecond }, metadata: { reason } } } };
    },
    updateTaskQueueConfig: async ({ taskQueue, updateQueueRateLimit: { rateLimit, reason } }: Update) => {
      fails('update');
      if (rateLimit) limits.set(taskQueue, { ...rateLimit, reason });
      else limits.delete(taskQueue);
    },
  };
  const withDeadline = <T>(_at: number, call: () => Promise<T>): Promise<T> => call();
  // As an activity asks for it.
  const withAbortSignal = <T>(_signal: AbortSignal, call: () => Promise<T>): Promise<T> => call();
  const connection = { workflowService, withDeadline };
  return { connection, withAbortSignal, options: { namespace: 'default' } } as unknown as Client;
}
