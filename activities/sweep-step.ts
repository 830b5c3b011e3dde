import { Context } from '@temporalio/activity';
import type { LookUpInput } from '../src/domain/job-plan';
import type { SweepStep } from '../src/domain/sweep';
import type { Swept } from '../src/guard/answers';
import type { Runtime } from '../src/interceptors/runtime';
import { quiesceMs, venueTimes } from '../src/policy/job-policy';
import { findAct } from './find-act';

/** An activity that no workflow runs has nobody who could be asked for it. */
const STANDALONE = 'standalone/';
const LOOK_LEASE_MS = 10_000;

/**
 * One bounded step over the unresolved intents of a venue, from the `from`-th on. Finds those that nobody looks after any
 * more. Many workers may do it at once: it reads, turns overdue claims into doubts, and leaves the looking to `lookUp`.
 */
export function sweepStep(runtime: Runtime) {
  return async (venue: string, from: number): Promise<SweepStep> => {
    const { client } = Context.current();
    const { open, looked } = await runtime.guard.sweep(venue, from);
    const orphans: LookUpInput[] = [];
    let forPerson = 0;
    for (const swept of open) {
      if (swept.state === 'MANUAL' || swept.owner.startsWith(STANDALONE)) continue;
      const act = swept.owner === '' ? ({ state: 'gone' } as const) : await findAct(client, swept.owner);
      if (act.state === 'running') continue;
      runtime.log.warn(
        { ...swept.ref, state: swept.state, owner: swept.owner },
        'an act was left in doubt by its workflow',
      );
      if (act.state === 'ended') {
        orphans.push({ jobType: swept.ref.jobType, input: act.input, abandoned: swept.owner });
      } else if (await handOver(runtime, swept)) forPerson += 1;
    }
    return { looked, orphans, forPerson };
  };
}

/** What the act was is not known any more, so no look can be made: a person must decide. Answers whether the record took it. */
async function handOver({ guard, config, log }: Runtime, { ref, owner }: Swept): Promise<boolean> {
  const record = await guard.record(ref);
  if (!record) return false;
  const quiesce = quiesceMs(venueTimes(config, ref.venue));
  const look = await guard.lookBegin(ref, {
    ...{ looker: `sweep/${Context.current().info.activityId}`, givenUp: owner, fingerprint: record.fingerprint },
    ...{ leaseMs: LOOK_LEASE_MS, quiesceMs: quiesce, mostLooks: Number.MAX_SAFE_INTEGER, refusal: '' },
  });
  if (look.kind !== 'LOOK') return false;
  const why = 'its workflow is gone from Temporal, and with it what could be looked up';
  const absence = { quiesceMs: quiesce, looks: 2, gapMs: 0 };
  const end = await guard.lookEnd(ref, {
    ...{ fence: look.fence, verdict: 'manual', payload: JSON.stringify({ why }), absence },
  });
  if (end.kind !== 'MANUAL') return false;
  log.error({ ...ref, evidence: why }, 'a person must decide what became of this act');
  return true;
}
