import { readdirSync } from 'node:fs';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { FOLDER, keptHistory, replayHistory, workflowIdOf } from '../support/histories';

Runtime.install({ logger: new DefaultLogger('ERROR') });

// Those whose names begin with "older" are of releases before this one, and are not recorded again.
test.each(readdirSync(FOLDER))('a workflow that was under way at an upgrade goes on: %s replays', async (file) => {
  const history = keptHistory(file);
  await replayHistory(history, workflowIdOf(history));
});

test('a history is told from that of another code', async () => {
  const history = keptHistory('order-went-well.json');
  const scheduled = history.events?.find(({ activityTaskScheduledEventAttributes: found }) => found);
  Object.assign(scheduled?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'anotherActivity' });
  await expect(replayHistory(history, workflowIdOf(history))).rejects.toThrow();
});
