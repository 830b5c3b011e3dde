import { readdirSync } from 'node:fs';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { FOLDER, keptHistory, replayHistory } from '../support/histories';

Runtime.install({ logger: new DefaultLogger('ERROR') });

// Those whose names begin with "older" are of releases before this one, and are not recorded again.
test.each(readdirSync(FOLDER))('a workflow that was under way at an upgrade goes on: %s replays', async (file) => {
  await replayHistory(keptHistory(file));
});

test('a history is told from that of another code', async () => {
  const history = keptHistory('breaker-orders.json');
  const scheduled = history.events?.find(({ activityTaskScheduledEventAttributes: found }) => found);
  Object.assign(scheduled?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'anotherActivity' });
  await expect(replayHistory(history)).rejects.toThrow();
});
