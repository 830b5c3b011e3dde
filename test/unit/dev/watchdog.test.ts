import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { identifyProcess } from '../../../src/dev/process-identity';
import { startWatchdog } from '../../../src/dev/watchdog';
import { waitUntil } from '../../../src/dev/wait-until';

const source = JSON.stringify(join(__dirname, '../../../src/dev'));

// A stand-in for `fillsafe dev`: starts children, puts all but the last under the watchdog, says their pids and stays.
const PARENT = `
const { startChild } = require(${source} + '/child.ts');
const { startWatchdog } = require(${source} + '/watchdog.ts');
const watchdog = startWatchdog({ graceMs: 600 });
const start = (script, watched) => new Promise((resolve) => {
  const child = startChild({ name: 'c', command: '/bin/sh', args: ['-c', script], onLine: () => resolve(child.pid), ...(watched && { watchdog }) });
});
(async () => {
  const polite = await start('echo up; while :; do sleep 0.1; done', true);
  const stubborn = await start("trap '' TERM; echo up; while :; do sleep 0.1; done", true);
  const unwatched = await start('echo up; exec sleep 60', false);
  console.log(JSON.stringify({ polite, stubborn, unwatched, watchdog: watchdog.pid }));
  setInterval(() => {}, 1000);
})();
`;

interface Pids {
  polite: number;
  stubborn: number;
  unwatched: number;
  watchdog: number;
}

const gone = (pid: number) => waitUntil(async () => identifyProcess(pid) === undefined, { timeoutMs: 10_000 });

describe('the watchdog', () => {
  const started: number[] = [];

  afterEach(() => {
    for (const pid of started.splice(0)) {
      if (identifyProcess(pid)) process.kill(pid, 'SIGKILL');
    }
  });

  async function startParent(): Promise<{ parent: ChildProcess; pids: Pids }> {
    const parent = spawn(process.execPath, ['--require', join(__dirname, 'load-typescript.cjs'), '-e', PARENT], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const [line] = (await once(createInterface({ input: parent.stdout as NodeJS.ReadableStream }), 'line')) as [string];
    const pids = JSON.parse(line) as Pids;
    started.push(...Object.values(pids), parent.pid as number);
    return { parent, pids };
  }

  it('ends the children of a parent that was killed -9, also one that ignores SIGTERM, and then itself', async () => {
    const { parent, pids } = await startParent();
    parent.kill('SIGKILL');
    expect(await gone(pids.polite)).toBe(true);
    expect(await gone(pids.stubborn)).toBe(true);
    expect(await gone(pids.watchdog)).toBe(true);
    expect(identifyProcess(pids.unwatched)).toBeDefined();
  });

  it('outlives what ends its parent from the terminal, and does its work', async () => {
    const { parent, pids } = await startParent();
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(pids.watchdog, signal);
    process.kill(-(parent.pid as number), 'SIGINT');
    expect(await gone(pids.polite)).toBe(true);
    expect(await gone(pids.stubborn)).toBe(true);
  });

  it('is started again when somebody kills it, and still knows its children', async () => {
    const watchdog = startWatchdog();
    const child = spawn('sleep', ['60']);
    started.push(child.pid as number);
    watchdog.register(child.pid as number);
    const first = watchdog.pid as number;
    process.kill(first, 'SIGKILL');
    expect(await waitUntil(async () => watchdog.pid !== first, { timeoutMs: 5_000 })).toBe(true);
    watchdog.close();
    expect(await gone(child.pid as number)).toBe(true);
  });

  it('lets go of a child that was unregistered', async () => {
    const watchdog = startWatchdog();
    const [kept, freed] = [spawn('sleep', ['60']), spawn('sleep', ['60'])].map(({ pid }) => pid as number) as [
      number,
      number,
    ];
    started.push(kept, freed);
    watchdog.register(freed);
    watchdog.register(kept);
    watchdog.unregister(freed);
    const pid = watchdog.pid as number;
    watchdog.close();
    expect(await gone(kept)).toBe(true);
    expect(await gone(pid)).toBe(true);
    expect(identifyProcess(freed)).toBeDefined();
  });
});
