import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { plainEnvironment } from '../stack';

/** Processes that all make the same calls at the same moment. Answers what each of the calls came to. */
export async function runCrowd(
  script: 'attempts' | 'submits',
  { processes, ...task }: { processes: number; calls: number; [setting: string]: unknown },
): Promise<Record<string, unknown>[]> {
  const env = plainEnvironment();
  const start = (): ChildProcess => fork(join(__dirname, `${script}.cjs`), { env });
  const members = Array.from({ length: processes }, start);
  try {
    await Promise.all(members.map((member) => told(member, task)));
    const answers = await Promise.all(members.map((member) => told(member, 'go')));
    return answers.flat() as Record<string, unknown>[];
  } finally {
    for (const member of members) member.kill('SIGKILL');
  }
}

/** Sends a process a message and waits for its next one. */
async function told(member: ChildProcess, message: object | string): Promise<unknown> {
  const stop = new AbortController();
  const ended = once(member, 'exit', { signal: stop.signal }).then(() => {
    throw new Error('a process of the crowd has ended before its time');
  });
  ended.catch(() => undefined);
  const reply = once(member, 'message').then(([said]: unknown[]) => said);
  member.send(message);
  try {
    return await Promise.race([reply, ended]);
  } finally {
    stop.abort();
  }
}

/** How many of each answer there are, by its text; who asked first and who later makes no difference. */
export function distinctAnswers(answers: Record<string, unknown>[]): unknown[] {
  const texts = new Set(answers.map(({ replayed: _replayed, ...answer }) => JSON.stringify(answer)));
  return [...texts].map((text) => JSON.parse(text) as unknown);
}
