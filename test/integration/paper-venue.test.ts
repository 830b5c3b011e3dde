import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PaperClient } from '../unit/venues/paper/paper-client';

const LOADER = join(__dirname, '../unit/dev/load-typescript.cjs');
const MAIN = join(__dirname, '../../src/venues/paper/main.ts');

const folder = mkdtempSync(join(tmpdir(), 'paper-venue-'));
const started: ChildProcess[] = [];

afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function run(...flags: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--require', LOADER, MAIN, ...flags], { stdio: 'pipe' });
  started.push(child);
  return child;
}

async function start(...flags: string[]): Promise<{ child: ChildProcess; client: PaperClient }> {
  const child = run(...flags);
  if (!child.stdout) throw new Error('the venue has no standard output');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ready = JSON.parse(line) as { event: string; url: string };
  expect(ready.event).toBe('ready');
  return { child, client: new PaperClient(ready.url, Date) };
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  return child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))[0];
}

describe('the paper venue as a process', () => {
  it('keeps every order whose answer left when it is killed, and ends cleanly on SIGTERM', async () => {
    const dataDir = join(folder, 'data');
    const first = await start('--data-dir', dataDir);
    for (let order = 0; order < 50; order += 1) {
      await first.client.limit('BUY', '0.00141', { newClientOrderId: `order-${order}` });
    }
    first.child.kill('SIGKILL');
    await exitOf(first.child);
    const second = await start('--data-dir', dataDir);
    expect(await second.client.truth()).toMatchObject({ totals: { orders: 50, executions: 50, duplicates: 0 } });
    expect((await second.client.find('order-49')).status).toBe(200);
    second.child.kill('SIGTERM');
    expect(await exitOf(second.child)).toBe(0);
  });

  it('has the faults of its scenario from the first request on', async () => {
    const scenario = join(folder, 'scenario.yaml');
    writeFileSync(scenario, 'faults:\n  - kind: rate_limit\n    match: {path: /api/v3/ping}\n    times: 1\n');
    const { client } = await start('--scenario', scenario);
    const statuses = [await client.send('GET', '/api/v3/ping'), await client.send('GET', '/api/v3/ping')];
    expect(statuses.map(({ status }) => status)).toEqual([429, 200]);
  });

  it('ends when its parent closes standard input', async () => {
    const { child } = await start('--exit-with-parent');
    child.stdin?.end();
    expect(await exitOf(child)).toBe(0);
  });

  it('says what is wrong with its settings and ends', async () => {
    const config = join(folder, 'bad.yaml');
    writeFileSync(config, 'seed: 1\n');
    const child = run('--config', config);
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(child, 'close');
    expect(child.exitCode).toBe(2);
    expect(text).toContain('api_keys');
  });
});
