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
import { mayBeEffect } from '../../domain/job-types';
import { EffectProtocol } from './effect-protocol';
import { Parking } from './parking';
import { Story } from './story';

const { planJob } = proxyLocalActivities<{ planJob(activityType: string, input: unknown): Promise<JobPlan | null> }>({
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
  /** Activities whose names look like job types and which are none. */
  private readonly ordinary = new Set<string>();

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
    const { activityType, options } = input;
    const passes = this.protocol.owns(options.activityId) || this.ordinary.has(activityType);
    return passes || !mayBeEffect(activityType) ? next(input) : this.effect(input, next);
  }

  private async effect(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    const { activityType, args } = input;
    const plan = await planned(activityType, args[0]);
    if (!plan) {
      this.ordinary.add(activityType);
      return next(input);
    }
    this.story.begin(plan);
    return this.protocol.run(activityType, plan);
  }
}

/** A refusal of the input ends the workflow with its category, not with the failure of a local activity. */
async function planned(activityType: string, input: unknown): Promise<JobPlan | null> {
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
