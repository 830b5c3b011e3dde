import { NO_OVERRIDE } from '../../src/breaker/override';
import { breakerSettingsOf, same, TICK_MS } from './compare';
import { levelsFor } from './judged';
import type { Op } from './ops';
import { pick, VENUE, type Run } from './run';

/** What happens to the breakers beside the acts that they judge: each step on both sides. */
export class BreakerSteps {
  private exempted = 0;

  constructor(private readonly run: Run) {}

  async exempt(): Promise<void> {
    this.exempted += 1;
    const ref = { venue: VENUE, jobType: 'order.cancel', intentId: `c:${this.exempted}` };
    const owner = { activity: 'canceller', attempt: 1, nonce: 'n' };
    const { guard, seen } = this.run.worker(0);
    this.run.readStore(seen);
    // Looked up first, as all acts are then.
    if (this.run.store.suspected(this.run.now)) return;
    const request = { owner, fingerprint: '1:aa', leaseMs: TICK_MS, quiesceMs: 0, knownUnsent: false, mostSends: 9 };
    const { breaker } = this.run.options;
    const act = { bucket: 0, held: false, canProbe: false };
    const expected = this.run.breaker?.judge(this.run.now, this.run.going, act);
    const answer = await guard.admit(ref, {
      ...request,
      breaker: breaker && { levels: levelsFor('order.cancel', breaker), ...act },
    });
    if (expected?.verdict === 'wait') return same(answer.kind, 'OPEN');
    if (answer.kind !== 'GO') throw new Error(`an act that no breaker may hold was answered ${answer.kind}`);
    this.run.store.go();
    this.run.store.learn(seen);
    const end = { ending: 'done', payload: '{}', elapsedMs: 0, health: 'none', quiesceMs: 0 } as const;
    await guard.settle(ref, { fence: answer.fence, ...end });
  }

  /** Orders reach Redis as their control workflow projects them. */
  async order({ level, kill, force, ticks }: Op & { op: 'order' }, number: number): Promise<void> {
    const orders = { ...NO_OVERRIDE, number, kill, force, forMs: ticks * TICK_MS, rows: [] };
    await this.run.worker(0).guard.breakers.order(VENUE, level, orders);
    if (!this.run.breaker) return;
    if (level === 'all') this.run.breaker.allKilled = kill;
    else this.run.breaker.level(level).order = { kill, force, until: this.run.now + ticks };
  }

  async probed({ probe, isWell }: Op & { op: 'probed' }): Promise<void> {
    const { breaker } = this.run.options;
    const asked = pick(this.run.probes, probe);
    if (!asked || !breaker) return;
    const { level, token, until } = asked;
    const settings = breakerSettingsOf(breaker[level as 'venue' | 'order.place']);
    await this.run.worker(0).guard.breakers.probed(VENUE, { level, token }, isWell, settings);
    this.run.breaker?.level(level).breaker.probed(this.run.now, this.run.going, until, isWell);
  }
}
