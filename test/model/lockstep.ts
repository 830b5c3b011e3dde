import type { Redis } from 'ioredis';
import { BreakerSteps } from './breaker-steps';
import { compareStored, TICK_MS } from './compare';
import { IntentSteps } from './intent-steps';
import { stepsOf, type Op } from './ops';
import { Run, VENUE, type RunOptions } from './run';
import { StoreSteps } from './store-steps';

/** Runs every step against the scripts on a Redis and against the model, and compares all that can be seen. */
export class Lockstep {
  steps = 0;
  private readonly run: Run;
  private readonly intents: IntentSteps;
  private readonly breakers: BreakerSteps;
  private readonly store: StoreSteps;

  constructor(
    private readonly redis: Redis,
    options: RunOptions,
  ) {
    this.run = new Run(redis, options);
    this.intents = new IntentSteps(this.run);
    this.breakers = new BreakerSteps(this.run);
    this.store = new StoreSteps(this.run);
  }

  async step(op: Op): Promise<void> {
    this.steps += 1;
    await this.run.look();
    await this.apply(op);
    const { keys, world, intents, breaker } = this.run;
    const { now, ms } = await this.run.look();
    await compareStored(this.redis, { keys, venue: VENUE, world, now, redisMs: world.own(ms), intents, breaker });
  }

  private async apply(op: Op): Promise<void> {
    switch (op.op) {
      case 'admit':
        return this.intents.admit(op);
      case 'resend': {
        const { last } = this.run.intent(op.intent);
        return last && this.intents.admit(last);
      }
      case 'retry': {
        const { last } = this.run.intent(op.intent);
        return last && this.intents.admit({ ...last, attempt: last.attempt + 1, knownUnsent: op.knownUnsent });
      }
      case 'settle':
        return this.intents.settle(op);
      case 'lookBegin':
        return this.intents.lookBegin(op);
      case 'look':
        return this.intents.look(op);
      case 'lookEnd':
        return this.intents.lookEnd(op);
      case 'resolve':
        return this.intents.resolve(op);
      case 'expire': {
        const intent = this.run.intent(op.intent);
        if (intent.model.unresolved) return;
        return this.intents.drop(intent, false);
      }
      case 'lose':
        return this.intents.drop(this.run.intent(op.intent), true);
      case 'order':
        return this.breakers.order(op);
      case 'retell':
        return this.breakers.retell(op);
      case 'emptied':
        return this.breakers.emptied();
      case 'probed':
        return this.breakers.probed(op);
      case 'exempt':
        return this.breakers.exempt();
      case 'flush':
        return this.store.flush();
      case 'save':
        return this.store.save();
      case 'rollBack':
        return this.store.rollBack();
      case 'open':
        return this.store.open(op);
      case 'trust':
        return this.store.trust();
      case 'pass':
        return this.pass(op.ticks * TICK_MS);
      case 'seconds':
        return this.pass(op.seconds * 1_000);
      case 'absence':
      case 'storm':
      case 'calm':
      case 'outlast':
      case 'rush':
      case 'read':
      case 'banned':
      case 'probes':
      case 'force':
      case 'relapse':
      case 'late':
      case 'straggler':
      case 'blind':
      case 'overtaken':
        for (const step of stepsOf(op)) await this.step(step);
    }
  }

  private async pass(ms: number): Promise<void> {
    const { run } = this;
    await run.world.pass(ms, run.options.breaker && run.options.breaker.venue.windowTicks * TICK_MS);
    const { now } = await run.look();
    for (const intent of run.intents) intent.passed(now, await this.redis.get(run.keys.record(intent.ref)));
  }
}
