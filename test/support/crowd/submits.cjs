'use strict';
// Submits of one intent by the typed client, as services do; every `otherEvery`-th starts a workflow of its own for the
// intent instead, past that client. Task: {config, order, otherEvery}.
const { isGrpcServiceError } = require('@temporalio/client');
const { built, member } = require('./member.cjs');

const { FillsafeClient } = built('src/client/client');
const { WORKFLOW_QUEUE } = built('src/domain/job-types');

member(async ({ config, order, otherEvery }) => {
  const client = await FillsafeClient.connect(config);

  async function submit(index) {
    if (index % otherEvery !== 0) return (await (await client.submit('order.place', order)).outcome()).result;
    const workflowId = `other:${process.pid}:${index}`;
    const start = { workflowId, taskQueue: WORKFLOW_QUEUE, args: [order], workflowIdConflictPolicy: 'USE_EXISTING' };
    return client.temporal.workflow.execute('placeOrder', start);
  }

  async function call(index) {
    for (;;) {
      try {
        return await submit(index);
      } catch (error) {
        // A server that is busy is asked again.
        if (!isGrpcServiceError(error) && !isGrpcServiceError(error.cause)) return { failed: String(error) };
      }
    }
  }
  return { call, close: () => client.close() };
});
