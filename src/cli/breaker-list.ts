import { controlledScopes } from '../client/breaker-control';
import { FillsafeClient } from '../client/client';
import type { FillsafeConfig } from '../config/schema';
import { ALL, LOOK_UP_LEVEL, parseScope, scopeOf, VENUE_LEVEL, type Scope } from '../breaker/scope';
import { BOOKS, JOB_TYPES } from '../domain/job-types';
import { configuredJobTypes } from '../policy/job-policy';
import { usage } from './breaker-order';
import { ago, errorText, print, printJson } from './output';
import { readBreakers, type BreakerLine } from './read-breakers';
import { laneVenues } from './reconcile';
import { facts, table } from './table';

export async function listBreakers(config: FillsafeConfig, { json }: { json?: boolean }): Promise<void> {
  const client = await FillsafeClient.connect(config);
  try {
    const lines = await readBreakers(config, await knownScopes(config, client));
    if (json) {
      for (const line of lines) await printJson(line);
      return;
    }
    const nowMs = Date.now();
    await print(
      table(
        ['breaker', 'state', 'since', 'failed of threshold', 'next', 'ordered', 'why'],
        lines.map((line) => [
          line.scope,
          stateOf(line),
          line.since === null ? '' : ago(Date.parse(line.since), nowMs),
          line.failureRatio === null ? '' : `${line.failures}/${line.calls}, ${line.threshold}`,
          line.next,
          line.ordered,
          line.why,
        ]),
        { widest: 60 },
      ),
    );
  } finally {
    await client.close();
  }
}

export async function showBreaker(config: FillsafeConfig, text: string, { json }: { json?: boolean }): Promise<void> {
  const scope = usage(() => parseScope(text));
  const client = await FillsafeClient.connect(config);
  try {
    const control = usage(() => client.breaker(text));
    const [line] = await readBreakers(config, [scope]);
    let unknown = '';
    const state = await control.state().catch((error: unknown) => {
      unknown = `  not known, as no worker answers for ${control.workflowId}: ${errorText(error)}`;
      return undefined;
    });
    if (json) return await printJson({ ...line, control: state ?? null });
    const events = [...(state?.events ?? [])].reverse().slice(0, 20);
    const told = unknown || events.map(({ at, what }) => `  ${at}  ${what}`).join('\n');
    const order = state?.kill ?? state?.force;
    await print(
      [
        text,
        facts([
          ['state', stateOf(line!)],
          ['since', line!.since ?? order?.at ?? ''],
          ['why', line!.why],
          [
            'failed of calls',
            line!.failureRatio === null ? '' : `${line!.failures} of ${line!.calls}; ${line!.threshold}`,
          ],
          ['next', line!.next],
          ['ordered', line!.ordered],
          ['workflow', control.workflowId],
        ]),
        ...(told === '' ? [] : ['', 'What happened, the newest first', told]),
      ].join('\n'),
    );
  } finally {
    await client.close();
  }
}

function stateOf({ words, held, heldBy }: BreakerLine): string {
  return heldBy === null || held ? words : `held by ${heldBy}`;
}

/** Everything that may have a breaker: what is configured, and what people or workers have a control workflow for. */
async function knownScopes(config: FillsafeConfig, client: FillsafeClient): Promise<Scope[]> {
  const own = configuredJobTypes(config).filter((name) => !(JOB_TYPES as readonly string[]).includes(name));
  const venues = laneVenues(config);
  const scopes = [
    ALL,
    ...venues.flatMap((venue) => [VENUE_LEVEL, ...JOB_TYPES, LOOK_UP_LEVEL].map((level) => scopeOf(venue, level))),
    ...own.map((jobType) => scopeOf(BOOKS, jobType)),
  ];
  for await (const scope of controlledScopes(client.temporal)) scopes.push(scope);
  return [...new Set(scopes)].map(parseScope);
}
