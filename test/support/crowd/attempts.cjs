'use strict';
// Jobs of one intent, each as an activity of a workflow of its own, through the interceptors of a worker: tried again and, in
// doubt, looked up as Temporal and the workflow would have it. Task: {config, order}.
const { setTimeout: sleep } = require('node:timers/promises');
const { asyncLocalStorage } = require('@temporalio/activity');
const pino = require('pino');
const { built, member } = require('./member.cjs');

const { AdmissionInterceptor } = built('src/interceptors/admission');
const { ClassificationInterceptor } = built('src/interceptors/classification');
const { MetricsInterceptor } = built('src/interceptors/metrics');
const { currentTicket } = built('src/guard/ticket');
const { createActivities } = built('activities/create-activities');
const { openServices } = built('src/worker/services');

member(async ({ config, order }) => {
  const services = await openServices(config, pino({ enabled: false }));
  const { runtime } = services;
  await runtime.guard.store.open(order.venue, { quiesceMs: 1_000, neverUsed: true });

  const { lookUp } = createActivities(runtime, { searchAttributes: false });
  const place = (context) =>
    [MetricsInterceptor, ClassificationInterceptor, AdmissionInterceptor].reduceRight(
      (next, Interceptor) => (input) => new Interceptor(context, runtime).execute(input, next),
      ({ args }) => runtime.effects.ofJobType('order.place').run(args[0], currentTicket()),
    )({ args: [order], headers: {} });

  /** Attempts an activity until it has an answer or a failure that ends it. */
  async function activity(runId, activityType, activityId, run) {
    for (let attempt = 1; ; attempt++) {
      const workflowExecution = { workflowId: `crowd-${process.pid}`, runId: String(runId) };
      const info = { activityType, activityId, attempt, workflowExecution };
      const context = { info, sleep, heartbeat: () => undefined };
      try {
        return await asyncLocalStorage.run(context, () => run(context));
      } catch (error) {
        if (error.nonRetryable || error.nextRetryDelay === undefined) throw error;
        await sleep(error.nextRetryDelay);
      }
    }
  }

  async function call(index) {
    for (let sends = 1; ; sends++) {
      const activityId = `order.place-${sends}`;
      const failed = (error) => ({ failed: error });
      const answer = await activity(index, 'placeOrder', activityId, place).catch(failed);
      if (answer.failed?.type !== 'OUTCOME_UNKNOWN') return answer;
      const request = { jobType: 'order.place', input: order, givenUp: activityId, onAbsent: 'resend' };
      const looked = await activity(index, 'lookUp', `lookUp-${sends}`, () => lookUp(request));
      if (looked.outcome !== 'absent') return looked.result ?? looked;
    }
  }
  return { call, close: () => services.close() };
});
