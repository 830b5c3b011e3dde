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
export async function replayHistory(history: History): Promise<void> {
  const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId ?? undefined);
}

export function keptHistory(file: string): History {
  return historyFromJSON(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
}

/**
 * Replays the history of a run that a test has just made. `FILLSAFE_RECORD=1 npx jest test/replay/histories` keeps it as
 * `<name>.json` too, in place of the one of before. Where workflows may be under way that the change concerns, the one of before
 * is to be kept as `older-<name>.json`.
 */
export async function replayRun(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId?: string | undefined },
  name: string,
): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  await replayHistory(history);
  if (process.env['FILLSAFE_RECORD'] === '1') keep(history, name);
}

/** One event a line, and nothing of the machine that it was made on. */
function keep(history: History, name: string): void {
  const { events } = JSON.parse(historyToJSON(history)) as { events: object[] };
  const strange = (key: string, value: unknown): unknown =>
    key === 'identity' ? '1@worker' : key === 'stackTrace' ? undefined : value;
  const text = `{"events": [\n${events.map((event) => JSON.stringify(event, strange)).join(',\n')}\n]}\n`;
  writeFileSync(join(FOLDER, `${name}.json`), text);
}
