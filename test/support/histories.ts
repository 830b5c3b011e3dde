import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { packageRoot } from '../../src/package-root';

type History = temporal.api.history.v1.IHistory;

/** Histories that this version of the workflows and all later ones must be able to go on from. */
export const FOLDER = join(__dirname, '..', 'replay', 'histories');
const workflowBundle = { codePath: join(packageRoot, 'dist', 'workflow-bundle.js') };

/** Runs a history again through the build's workflow code; rejects where the code would do otherwise. */
export async function replayHistory(history: History, workflowId?: string): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
}

export function keptHistory(file: string): History {
  return historyFromJSON(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
}

/** The workflow id that a history tells; workflows go by theirs. */
export function workflowIdOf({ events }: History): string | undefined {
  return events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? undefined;
}

/**
 * Replays the history of a run that a test has just made. `FILLSAFE_RECORD=1 npx jest test/replay/histories` keeps it under
 * `name` too, in place of the one of before: only for a change of the workflows that no running one can have met, such as before
 * their first release. Otherwise rename the old file to `older-…` first.
 */
export async function replayRun(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId?: string },
  name: string,
): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  await replayHistory(history, workflowId);
  if (process.env['FILLSAFE_RECORD'] === '1') keep(history, name);
}

function keep(history: History, name: string): void {
  const { events } = JSON.parse(historyToJSON(history)) as { events: object[] };
  // One event a line, and nothing of the machine it was made on.
  const lines = events.map((event) => JSON.stringify(event).replace(/"identity":"[^"]*"/g, '"identity":"1@worker"'));
  const text = `{"events": [\n${lines.join(',\n')}\n]}\n`;
  if (text.includes(packageRoot)) throw new Error(`${name}: the history holds paths of this machine`);
  writeFileSync(join(FOLDER, `${name}.json`), text);
}
