import type { Redis } from 'ioredis';

import type * as Harness from '../effect-harness';
import type { Clock } from '../memory-redis';

type Job = ReturnType<typeof Harness.effectHarness>;
type Ticket = Parameters<NonNullable<Harness.AttemptOptions['act']>>[0];

/** A worker's interceptors, loaded apart, on a Redis in this process. */
export interface Rig {
  job: Job;
  redis: Redis;
  clock: Clock;
  harness: typeof Harness;
}

const QUIESCE_MS = 18_000;

const sends = (error: unknown) => (ticket: Ticket) => {
  ticket.pass();
  return Promise.reject(error as Error);
};
const mustNotAct = (): Promise<never> => Promise.reject(new Error('acted'));

/** An act that is under way until it is let go. */
function underWay({ ANSWER }: typeof Harness): { act: (ticket: Ticket) => Promise<unknown>; end: () => void } {
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const act = async (ticket: Ticket): Promise<unknown> => {
    ticket.pass();
    await over;
    return ANSWER;
  };
  return { act, end: () => end() };
}

/** Redis does not answer any script until it is called. */
function away(redis: Redis): () => void {
  const commands = redis as unknown as Record<string, unknown>;
  const scripts = Object.keys(commands).filter((name) => name.startsWith('fillsafe:'));
  const were = scripts.map((name) => commands[name]);
  for (const name of scripts) commands[name] = () => Promise.reject(new Error('Connection is closed.'));
  return () => scripts.forEach((name, i) => (commands[name] = were[i]));
}

async function absent({ job, clock }: Rig): Promise<void> {
  const request = { looker: 'l', givenUp: '', leaseMs: 1_000, quiesceMs: QUIESCE_MS, mostLooks: 9, refusal: '' };
  const { fingerprint } = (await job.record()) ?? { fingerprint: '' };
  clock.advance(QUIESCE_MS + 1);
  for (let i = 0; i < 2; i += 1) {
    clock.advance(5_000);
    const look = await job.guard.lookBegin(job.ref(), { ...request, fingerprint });
    if (look.kind !== 'LOOK') throw new Error(look.kind);
    const absence = { quiesceMs: QUIESCE_MS, looks: 2, gapMs: 2_000 };
    await job.guard.lookEnd(job.ref(), { fence: look.fence, verdict: 'absent', payload: '{}', absence });
  }
}

/** What must hold of the attempts of an act, as far as TypeScript decides it. */
export const CLAIMS = {
  'a lost answer is a doubt that no attempt acts on': async ({ job, harness }) => {
    const lost = harness.venueSays({ phase: 'after_send', code: 'ECONNRESET' });
    const first = await job.attempt({ act: sends(lost) });
    expect(first).toMatchObject({ failure: { type: 'OUTCOME_UNKNOWN', nonRetryable: true } });
    // It would let the next attempt act, should the record be lost.
    expect(first.heartbeats).not.toContainEqual({ attempt: 1, sends: 0 });
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN', sends: 1 });
    await job.attempt({ attempt: 2 });
    await job.attempt({ runId: 'run-2' });
    expect(job.seen.sends).toBe(1);
  },
  'a mistake of the program after the send is a doubt': async ({ job }) => {
    await job.attempt({ act: sends(new TypeError('undefined is not a function')) });
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN', sends: 1 });
  },
  'a request that is ready too late does not leave': async ({ job }) => {
    job.effects['order.place'].sendWithinMs = () => -1;
    expect(await job.attempt()).toMatchObject({ failure: { type: 'NOT_SENT', nonRetryable: false } });
    expect(job.seen.sends).toBe(0);
  },
  'an order whose deadline has passed does not leave': async ({ job, harness }) => {
    const late = { ...harness.ORDER, expiresAt: Date.now() - 1_000 };
    expect(await job.attempt({ input: late })).toMatchObject({ failure: { type: 'EXPIRED' } });
    expect(job.seen.sends).toBe(0);
  },
  'insufficient funds on a resend are evidence for the first request': async (rig) => {
    const { job, harness } = rig;
    await job.attempt({ act: sends(harness.venueSays({ phase: 'after_send', code: 'ECONNRESET' })) });
    await absent(rig);
    const funds = { httpStatus: 400, code: -2010, message: 'Account has insufficient balance for requested action.' };
    await job.attempt({ activityId: '2', act: sends(harness.venueSays(funds)) });
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN', sends: 2 });
  },
  'a second run of an attempt waits for the first': async ({ job, harness }) => {
    const first = underWay(harness);
    const began = job.attempt({ act: first.act });
    while (job.seen.sends === 0) await job.record();
    const asked = job.attempt();
    for (let i = 0; i < 200; i += 1) await Promise.resolve();
    first.end();
    expect(await began).toMatchObject({ result: { replayed: false } });
    expect(await asked).toMatchObject({ result: { order: harness.ANSWER } });
    expect(job.seen.sends).toBe(1);
  },
  'an attempt is believed about itself and those before it, not about others': async ({ job }) => {
    const third = await job.attempt({ attempt: 3, heartbeatDetails: { attempt: 1, sends: 0 }, act: mustNotAct });
    expect(third).toMatchObject({ failure: { type: 'OUTCOME_UNKNOWN' } });
  },
  'without Redis no order leaves, and that is said for the next attempt': async ({ job, redis }) => {
    await job.open();
    away(redis);
    const held = await job.attempt({ act: mustNotAct });
    expect(held).toMatchObject({ failure: { type: 'STORE_DOWN', nonRetryable: false } });
    expect(held.heartbeats).toContainEqual({ attempt: 1, sends: 0 });
  },
  'an act that ended while Redis was away is answered, and written down when it is back': async ({
    job,
    redis,
    harness: { ANSWER },
  }) => {
    let back = (): void => undefined;
    const ended = await job.attempt({
      act: (ticket) => {
        ticket.pass();
        back = away(redis);
        return Promise.resolve(ANSWER);
      },
    });
    expect(ended).toMatchObject({ result: { status: 'done', order: ANSWER } });
    back();
    expect(await job.runtime.outbox.flush()).toBe(0);
    expect(await job.record()).toMatchObject({ state: 'DONE', payload: ANSWER });
  },
  'a result that JSON would change is a doubt': async ({ job, harness }) => {
    const act = (ticket: Ticket): Promise<unknown> => {
      ticket.pass();
      return Promise.resolve({ ...harness.ANSWER, at: new Date(0) });
    };
    expect(await job.attempt({ act })).toMatchObject({ failure: { type: 'OUTCOME_UNKNOWN', nonRetryable: true } });
    expect(await job.record()).toMatchObject({ state: 'UNKNOWN' });
  },
  'an act that ended after its record had moved on is not called done': async (rig) => {
    const { job } = rig;
    const act = underWay(rig.harness);
    const began = job.attempt({ act: act.act });
    while (job.seen.sends === 0) await job.record();
    await absent(rig);
    await job.attempt({ runId: 'run-2', activityId: '2' });
    act.end();
    expect(await began).toMatchObject({ failure: { type: 'OUTCOME_UNKNOWN', nonRetryable: true } });
  },
} satisfies Record<string, (rig: Rig) => Promise<void>>;
export type Claim = keyof typeof CLAIMS;
