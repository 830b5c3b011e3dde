import type { LevelStanding } from '../breaker/breakers';
import { ALL, parseScope, scopeOf, scopeOfControl, VENUE_LEVEL, type Scope } from '../breaker/scope';
import { standing, type Standing } from '../breaker/snapshot';
import { FillsafeClient } from '../client/client';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { BOOKS, JOB_TYPES } from '../domain/job-types';
import { breakerSettings, configuredJobTypes, settingsOf } from '../policy/job-policy';
import { usage } from './breaker-order';
import { breakerWords, type BreakerWords } from './breaker-words';
import { ago, print, printJson } from './output';
import { laneVenues } from './reconcile';
import { facts, table } from './table';

/** How a breaker stands, as `--json` tells it. Times are ISO 8601. */
interface BreakerLine extends BreakerWords {
  scope: string;
  /** The scope above this one that holds it, whatever it says itself; null if none does. */
  heldBy: string | null;
}

const HOLDING: readonly Standing[] = ['KILLED', 'HELD', 'FORCED_OPEN', 'OPEN'];

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
          line.scope === ALL ? '' : `${line.failures}/${line.calls}, ${line.threshold}`,
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
    const state = await control.state().catch((error: Error) => error);
    if (json) return await printJson({ ...line, control: state instanceof Error ? null : (state ?? null) });
    const events = state instanceof Error || state === undefined ? [] : [...state.events].reverse().slice(0, 20);
    const told =
      state instanceof Error
        ? `(what happened is not known: ${state.message.split('\n')[0]})`
        : events.map(({ at, what }) => `  ${at}  ${what}`).join('\n');
    await print(
      [
        text,
        facts([
          ['state', stateOf(line!)],
          ['since', line!.since ?? 'the beginning'],
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

function stateOf({ heldBy, words }: BreakerLine): string {
  return heldBy === null ? words : `${words}, but ${heldBy} holds`;
}

/** Everything that may have a breaker: what is configured, and what people or workers have a control workflow for. */
async function knownScopes(config: FillsafeConfig, client: FillsafeClient): Promise<Scope[]> {
  const own = configuredJobTypes(config).filter((name) => !(JOB_TYPES as readonly string[]).includes(name));
  const venues = laneVenues(config);
  const scopes = [
    ALL,
    ...venues.flatMap((venue) => [VENUE_LEVEL, ...JOB_TYPES].map((level) => scopeOf(venue, level))),
    ...own.map((jobType) => scopeOf(BOOKS, jobType)),
  ];
  const query = 'WorkflowType = "breakerControl" AND ExecutionStatus = "Running"';
  for await (const { workflowId } of client.temporal.workflow.list({ query })) {
    try {
      scopes.push(scopeOfControl(workflowId));
    } catch {
      // Started by hand under a name of its own: no breaker.
    }
  }
  return [...new Set(scopes)].map(parseScope);
}

async function readBreakers(config: FillsafeConfig, scopes: readonly Scope[]): Promise<BreakerLine[]> {
  const { guard, close } = await openGuard(config);
  try {
    const nowMs = await guard.now();
    const venues = [...new Set(scopes.map(({ venue }) => venue))].filter((venue) => venue !== ALL);
    const standings = new Map<string, LevelStanding>();
    for (const venue of venues.length > 0 ? venues : laneVenues(config)) {
      const levels = new Set(scopes.filter((scope) => scope.venue === venue).map(({ level }) => level)).add(
        VENUE_LEVEL,
      );
      for (const each of await guard.breakers.read(venue, [...levels])) standings.set(scopeOf(venue, each.level), each);
    }
    const standingOf = (scope: string) => {
      const { breaker, override } = standings.get(scope)!;
      return { breaker, override, ...standing(breaker, override, nowMs) };
    };
    return scopes.map(({ venue, level }) => {
      const scope = scopeOf(venue, level);
      const settings = level === ALL ? undefined : breakerSettings(config, settingsOf(level));
      const above = [ALL, venue].filter((each) => each !== scope && standings.has(each));
      const heldBy = above.find((each) => HOLDING.includes(standingOf(each).standing)) ?? null;
      return { scope, heldBy, ...breakerWords(standingOf(scope), settings, nowMs) };
    });
  } finally {
    close();
  }
}
