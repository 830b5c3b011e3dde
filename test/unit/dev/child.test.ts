import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../../src/dev/child';
import { identifyProcess } from '../../../src/dev/process-identity';
import { waitUntil } from '../../../src/dev/wait-until';

const sh = (script: string) => ({ name: 'child', command: '/bin/sh', args: ['-c', script] });

/** Starts a child and resolves when it has written its first line, with that line. */
function startAndHear(script: string) {
  let child: ReturnType<typeof startChild> | undefined;
  const heard = new Promise<string>((resolve) => {
    child = startChild({ ...sh(script), onLine: resolve });
  });
  return { child: child as ReturnType<typeof startChild>, heard };
}

describe('a child process', () => {
  it('hands out its lines, keeps the last twenty and appends all to its log file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fillsafe-child-'));
    const logFile = join(folder, 'logs', 'child.log');
    try {
      const lines: string[] = [];
      const script = 'i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; echo problem >&2; exit 3';
      const child = startChild({ ...sh(script), logFile, onLine: (line) => lines.push(line) });
      expect(await child.exited).toEqual({ code: 3, signal: null });
      expect(child.running).toBe(false);
      expect(lines).toHaveLength(31);
      expect(lines).toContain('problem');
      expect(child.recentLines()).toEqual(lines.slice(-20));
      // The file is opened and written beside all this, and may come after the end of the child.
      const logged = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
      await waitUntil(async () => logged().split('\n').length === 32, { timeoutMs: 5_000 });
      expect(logged()).toBe(`${lines.join('\n')}\n`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('that cannot be started ends at once and says why', async () => {
    const child = startChild({ name: 'child', command: '/no/such/program', args: [] });
    expect(await child.exited).toEqual({ code: null, signal: null });
    expect(child.pid).toBeUndefined();
    expect(child.recentLines().join()).toContain('/no/such/program could not be started');
    await child.stop();
  });

  it('is asked to stop first', async () => {
    const { child, heard } = startAndHear("trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done");
    await heard;
    await child.stop();
    expect(await child.exited).toEqual({ code: 7, signal: null });
  });

  it('that does not stop when asked is killed after the grace', async () => {
    const { child, heard } = startAndHear("trap '' TERM; echo up; while :; do sleep 0.05; done");
    await heard;
    await child.stop({ graceMs: 100 });
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('takes its own children with it', async () => {
    const { child, heard } = startAndHear('sleep 60 & echo $!; wait');
    const grandchild = Number(await heard);
    expect(identifyProcess(grandchild)).toBeDefined();
    child.kill('SIGKILL');
    await child.exited;
    expect(await waitUntil(async () => identifyProcess(grandchild) === undefined, { timeoutMs: 5_000 })).toBe(true);
  });
});
