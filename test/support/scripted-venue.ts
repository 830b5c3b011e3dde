import { MockActivityEnvironment } from '@temporalio/testing';
import { lookUpActivity } from '../../activities/look-up';
import type { LookUpAnswer } from '../../src/domain/job-plan';
import type { Sighting } from '../../src/guard/effect';
import type { Ticket } from '../../src/guard/ticket';
import { ANSWER, ORDER, type effectHarness } from './effect-harness';

type Worker = ReturnType<typeof effectHarness>;

/** A venue that takes whatever it is sent, a repeated id too: what happened there is what left. */
export function scriptedVenue() {
  /** Intents of the orders that were taken, in their order; the place in it is the order id. */
  const taken: string[] = [];
  const orderOf = (at: number): typeof ANSWER => ({ ...ANSWER, orderId: String(at + 1) });

  return {
    taken,
    /** Makes the looks of `worker` see this venue. */
    serve<W extends Worker>(worker: W): W {
      worker.effects['order.place'].lookUp = (input) => {
        const at = taken.indexOf((input as typeof ORDER).intentId);
        const sighting: Sighting<object> =
          at < 0 ? { kind: 'absent', evidence: 'no such order' } : { kind: 'found', result: orderOf(at) };
        return Promise.resolve(sighting);
      };
      return worker;
    },
    /** Sends the order; `meanwhile` passes after the venue took it and before the worker hears of it. */
    take:
      (intentId: string, meanwhile: () => unknown = () => undefined) =>
      async (ticket: Ticket): Promise<object> => {
        ticket.pass();
        taken.push(intentId);
        const at = taken.length - 1;
        await meanwhile();
        return orderOf(at);
      },
    /** One look of `worker` for the act that Temporal has given up. */
    async look(
      worker: Worker,
      intentId: string,
      { runId = 'run-1', account }: { runId?: string; account?: string } = {},
    ): Promise<LookUpAnswer> {
      const workflowExecution = { workflowId: 'order:f1', runId };
      const environment = new MockActivityEnvironment({ activityType: 'lookUp', activityId: '2', workflowExecution });
      const input = { ...ORDER, intentId, ...(account && { account }) };
      const request = { jobType: 'order.place', input, givenUp: '1' };
      return (await environment.run(lookUpActivity(worker.runtime) as never, request as never)) as LookUpAnswer;
    },
  };
}
