import {
  ActivityFailure,
  ApplicationFailure,
  proxyLocalActivities,
  type Next,
  type WorkflowExecuteInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptorsFactory,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import type { ActivityInput } from '@temporalio/workflow';
import type { JobPlan } from '../../domain/job-plan';
import { jobTypeOf } from '../../domain/job-types';
import { EffectProtocol } from './effect-protocol';
import { Parking } from './parking';
import { Story } from './story';

const { planJob } = proxyLocalActivities<{ planJob(activityType: string, input: unknown): Promise<JobPlan> }>({
  startToCloseTimeout: 5_000,
});

/** Opens the messages that a parked job needs, in every workflow: any of them may do effects. */
class Messages implements WorkflowInboundCallsInterceptor {
  constructor(private readonly parking: Parking) {}

  execute(input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    this.parking.openMessages();
    return next(input);
  }
}

/** Makes a plain `await placeOrder(order)` in a workflow go the whole way of an effect. Other activities pass. */
class Effects implements WorkflowOutboundCallsInterceptor {
  private readonly protocol: EffectProtocol;

  constructor(
    private readonly story: Story,
    parking: Parking,
  ) {
    this.protocol = new EffectProtocol(story, parking);
  }

  scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    if (this.protocol.owns(input.options.activityId) || !jobTypeOf(input.activityType)) return next(input);
    return this.effect(input);
  }

  private async effect({ activityType, args }: ActivityInput): Promise<unknown> {
    const plan = await planned(activityType, args[0]);
    this.story.begin(plan);
    return this.protocol.run(activityType, plan);
  }
}

/** A refusal of the input ends the workflow with its category, not with the failure of a local activity. */
async function planned(activityType: string, input: unknown): Promise<JobPlan> {
  try {
    return await planJob(activityType, input ?? null);
  } catch (error) {
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) throw error.cause;
    throw error;
  }
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  const story = new Story();
  const parking = new Parking(story);
  return { inbound: [new Messages(parking)], outbound: [new Effects(story, parking)] };
};
