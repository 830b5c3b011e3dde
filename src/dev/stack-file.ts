import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache-dir';
import { formatProcessIdentity, identifyProcess, isSameProcess, parseProcessIdentity } from './process-identity';

/** What `fillsafe dev` says when everything answers, and what other commands find it by. */
export interface StackInfo {
  event: 'ready';
  /** `host:port` of Temporal's frontend. */
  temporal: string;
  /** Web address of Temporal's UI; null where Temporal is not this stack's own. */
  ui: string | null;
  redis: string;
  /** Address of the ledger's database, where one is configured. */
  ledger: string | null;
  /** Address of the worker's `/metrics`; null without a worker. */
  metrics: string | null;
  /** Web address of the paper venue. */
  paper: string;
  workerPid: number | null;
  /** Process id of the stack itself. */
  pid: number;
  dataDir: string;
  /** Configuration with these addresses in it, for other commands: `--config`. */
  config: string;
}

const folder = (): string => join(cacheDir(), 'stacks');

/** Makes a running stack findable for the commands of the same user; answers how to take it back. */
export function announceStack(info: StackInfo): () => void {
  const identity = identifyProcess(process.pid);
  const file = join(folder(), `${process.pid}.json`);
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify({ ...info, identity: identity && formatProcessIdentity(identity) }));
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
}

/**
 * The running stack that a command without a configuration of its own means: the one on `dataDir` if given, else the one at
 * `TEMPORAL_ADDRESS` if that is set, else the one started last. `undefined` when none runs.
 */
export function findStack({ dataDir, env = process.env }: { dataDir?: string; env?: NodeJS.ProcessEnv } = {}):
  StackInfo | undefined {
  const running = announced().filter((stack) => {
    if (dataDir !== undefined) return stack.dataDir === dataDir;
    return !env['TEMPORAL_ADDRESS'] || stack.temporal === env['TEMPORAL_ADDRESS'];
  });
  return running.at(-1);
}

function announced(): StackInfo[] {
  let names: string[];
  try {
    names = readdirSync(folder()).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  const stacks = names.flatMap((name) => {
    const file = join(folder(), name);
    try {
      const { identity, ...info } = JSON.parse(readFileSync(file, 'utf8')) as StackInfo & { identity?: string };
      const process = identity === undefined ? undefined : parseProcessIdentity(identity);
      if (process && isSameProcess(process)) return [info];
      // Its process is gone: it was killed before it could take the file back.
      rmSync(file, { force: true });
    } catch {
      // Being written or taken back at this moment.
    }
    return [];
  });
  return stacks.sort((left, right) => startedAt(left) - startedAt(right));
}

function startedAt({ pid }: StackInfo): number {
  return Number(identifyProcess(pid)?.startTime ?? 0);
}
