import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { packageRoot } from '../../src/package-root';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Histories of orders as 0.1.0 recorded them, before a plan told the life of an order. */
const FOLDER = join(__dirname, 'histories');

test.each(readdirSync(FOLDER))('an order that was under way at an upgrade goes on: %s replays', async (file) => {
  const history: unknown = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
  const workflowBundle = { codePath: join(packageRoot, 'dist', 'workflow-bundle.js') };
  await Worker.runReplayHistory({ workflowBundle }, history);
});
