import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command';

const LIMIT_MS = 300_000;

// The SDK downloads only what it then starts, and its runtime takes over the signals of its process: hence a process of its own.
const SCRIPT = `
const { TestWorkflowEnvironment } = require(process.argv[1]);
const executable = { type: 'cached-download', downloadDir: process.argv[2] };
TestWorkflowEnvironment.createLocal({ server: { executable } })
  .then((server) => server.teardown())
  .then(() => process.exit(0), (error) => { console.error(String(error.message)); process.exit(1); });
`;

/**
 * Gets the Temporal CLI by the download built into `@temporalio/testing`, for machines without Python and for platforms
 * without a wheel. The SDK picks the version and checks what comes; it starts the server once, on a random port, and ends it.
 * `target` appears whole or not at all.
 * @throws Error with a short reason.
 */
export async function fetchTemporalBySdk(
  target: string,
  check: (file: string) => Promise<string | undefined>,
): Promise<void> {
  const parent = dirname(dirname(target));
  const work = join(parent, `.fetch-${randomUUID()}`);
  mkdirSync(work, { recursive: true });
  try {
    const { ok, problem } = await runCommand(
      process.execPath,
      ['-e', SCRIPT, require.resolve('@temporalio/testing'), work],
      { timeoutMs: LIMIT_MS },
    );
    const program = readdirSync(work).find((name) => !name.endsWith('.downloading'));
    if (!ok || program === undefined) {
      // The cause comes last, after the same address three times.
      throw new Error(`the SDK's own download failed: ${problem.split(': ').slice(-2).join(': ')}`);
    }
    const unfit = await check(join(work, program));
    if (unfit !== undefined) throw new Error(unfit);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(work, program), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
