import { ApplicationFailure } from '@temporalio/common';
import { runJobs, type CheckedRow } from '../../../src/cli/run-jobs';
import type { JobLine } from '../../../src/cli/job-line';
import type { FillsafeClient, JobOutcome } from '../../../src/client/client';

interface Faked {
  outcomes?: Record<string, JobOutcome['status'][]>;
  onSubmit?: (intentId: string) => Promise<void>;
}

/** A client whose jobs stand as told, one answer a question; the last one stays. */
function fakeClient({ outcomes = {}, onSubmit }: Faked): FillsafeClient {
  const submit = async (_: string, { intentId }: { intentId: string }) => {
    await onSubmit?.(intentId);
    const answers = [...(outcomes[intentId] ?? ['done'])];
    const outcome = () => {
      const status = answers.length > 1 ? answers.shift() : answers[0];
      return Promise.resolve({ intentId, workflowId: `order:${intentId}`, status } as JobOutcome);
    };
    return { intentId, workflowId: `order:${intentId}`, replayed: intentId.startsWith('old'), outcome };
  };
  return { submit } as unknown as FillsafeClient;
}

async function* rows(...intentIds: string[]): AsyncGenerator<CheckedRow> {
  for (const [i, intentId] of intentIds.entries())
    yield { line: i + 2, input: { intentId } as unknown as CheckedRow['input'] };
}

async function run(
  source: AsyncIterable<CheckedRow>,
  faked: Faked,
  options: { wait?: boolean; timeoutMs?: number } = {},
): Promise<JobLine[]> {
  const lines: JobLine[] = [];
  await runJobs(source, {
    client: fakeClient(faked),
    jobType: 'order.place',
    wait: options.wait ?? false,
    timeoutMs: options.timeoutMs,
    onStarted: () => undefined,
    onLine: (line) => Promise.resolve(void lines.push(line)),
  });
  return lines.sort((left, right) => (left.line ?? 0) - (right.line ?? 0));
}

describe('starting many jobs', () => {
  it('keeps at most 50 starts on their way and reads rows only as fast as they start', async () => {
    let underWay = 0;
    let most = 0;
    let read = 0;
    let started = 0;
    let furthestAhead = 0;
    async function* many(): AsyncGenerator<CheckedRow> {
      for (const each of Array.from({ length: 300 }, (_, i) => `n-${i}`)) {
        read += 1;
        furthestAhead = Math.max(furthestAhead, read - started);
        yield* rows(each);
      }
    }
    const onSubmit = async (): Promise<void> => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      started += 1;
    };
    await expect(run(many(), { onSubmit })).resolves.toHaveLength(300);
    expect(most).toBe(50);
    expect(furthestAhead).toBeLessThanOrEqual(52);
  });

  it('tells the end of an intent that was used before, and "started" for a new one', async () => {
    const lines = await run(rows('new', 'old-1'), {});
    expect(lines).toMatchObject([
      { status: 'started', line: 2 },
      { status: 'done', line: 3, replayed: true },
    ]);
  });

  it('tells a conflict as a refusal and goes on with the next row', async () => {
    const onSubmit = (intentId: string): Promise<void> =>
      intentId === 'b'
        ? Promise.reject(ApplicationFailure.nonRetryable('other payload', 'CONFLICT'))
        : Promise.resolve();
    await expect(run(rows('a', 'b', 'c'), { onSubmit })).resolves.toMatchObject([
      { intentId: 'a', status: 'started' },
      { intentId: 'b', status: 'refused', category: 'CONFLICT', message: 'other payload' },
      { intentId: 'c', status: 'started' },
    ]);
  });

  it('stops and throws when Temporal goes away', async () => {
    const onSubmit = (intentId: string): Promise<void> =>
      intentId === 'b' ? Promise.reject(new Error('UNAVAILABLE')) : Promise.resolve();
    await expect(run(rows('a', 'b', 'c'), { onSubmit })).rejects.toThrow('UNAVAILABLE');
  });
});

describe('waiting for many jobs', () => {
  it('asks again for what still runs, and takes a job that waits for a person as ended', async () => {
    const outcomes: Faked['outcomes'] = { a: ['running', 'running', 'done'], b: ['running', 'manual'] };
    await expect(run(rows('a', 'b'), { outcomes }, { wait: true })).resolves.toMatchObject([
      { intentId: 'a', status: 'done' },
      { intentId: 'b', status: 'manual' },
    ]);
  });

  it('hears of ends behind many jobs that are held', async () => {
    const held = Array.from({ length: 40 }, (_, i) => `held-${i}`);
    const outcomes = Object.fromEntries(
      held.map((id) => [id, [...Array<'running'>(200).fill('running'), 'done'] as JobOutcome['status'][]]),
    );
    const lines: string[] = [];
    await runJobs(rows(...held, 'last'), {
      client: fakeClient({ outcomes }),
      jobType: 'order.place',
      wait: true,
      timeoutMs: undefined,
      onStarted: () => undefined,
      onLine: ({ intentId }) => {
        lines.push(String(intentId));
        return Promise.resolve();
      },
    });
    expect(lines).toHaveLength(41);
    expect(lines[0]).toBe('last');
  });

  it('says "running" of a job whose time is up', async () => {
    const lines = await run(rows('a'), { outcomes: { a: ['running'] } }, { wait: true, timeoutMs: 0 });
    expect(lines).toMatchObject([{ intentId: 'a', status: 'running' }]);
  });
});
