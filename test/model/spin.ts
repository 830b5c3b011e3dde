import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, runCommand } from '../../src/dev/run-command';

/** What must hold, as `guard.pml` numbers it. */
export const PROPERTIES = { ONCE: 1, TRUTH: 2, FENCE: 4, LEASED: 8, ENDS: 16 } as const;
export type Property = keyof typeof PROPERTIES;

export interface Search {
  states: number;
  transitions: number;
  depth: number;
  megabytes: number;
  seconds: number;
  /** The property that does not hold, and how it came to that, step by step. */
  violated?: { property: string; story: string[] };
}

const HOW = 'get both by `apt-get install spin gcc libc6-dev` or `brew install spin`';

/** Why no model can be checked here; `undefined` where one can. On a build machine the missing programs are installed first. */
export function whyNoSpin(): string | undefined {
  if (missing().length > 0 && process.env['CI'] && process.getuid?.() === 0 && findOnPath('apt-get')) {
    try {
      execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore', timeout: 60_000 });
      execFileSync('apt-get', ['install', '-y', '-qq', 'spin', 'gcc', 'libc6-dev'], {
        ...{ stdio: 'ignore', timeout: 120_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
      });
    } catch {
      // Said below: what is still missing.
    }
  }
  const programs = missing();
  return programs.length === 0 ? undefined : `no ${programs.join(' and no ')} here: ${HOW}`;
}

function missing(): string[] {
  return ['spin', 'gcc'].filter((program) => findOnPath(program) === undefined);
}

/**
 * Visits every state of `guard.pml` under `settings`, until one breaks what must hold. Throws when the search could not be
 * carried to its end: then nothing is proved.
 */
export async function exhaust(
  settings: Record<string, number>,
  { check, small = false }: { check?: Property | undefined; small?: boolean } = {},
): Promise<Search> {
  const folder = mkdtempSync(join(tmpdir(), 'fillsafe-model-'));
  const definitions = Object.entries({
    ...settings,
    ...(check && { CHECK: PROPERTIES[check] }),
  }).map(([name, value]) => `-D${name}=${value}`);
  try {
    for (const file of readdirSync(__dirname).filter((name) => name.endsWith('.pml'))) {
      copyFileSync(join(__dirname, file), join(folder, file));
    }
    const run = async (timeoutMs: number, command: string, ...args: string[]): Promise<string> => {
      const { ok, stdout, problem } = await runCommand(
        'sh',
        ['-c', `cd '${folder}' && exec "$0" "$@"`, command, ...args],
        {
          timeoutMs,
        },
      );
      if (!ok) throw new Error(`${command} ${args.join(' ')}: ${problem}\n${stdout.slice(-2_000)}`);
      return stdout;
    };
    await run(60_000, 'spin', ...definitions, '-a', 'guard.pml');
    // A small search is over before a better compiler would be.
    const flags = [small ? '-O0' : '-O1', '-DSAFETY', '-DNOREDUCE', '-DSFH', '-DMEMLIM=8000'];
    await run(300_000, 'gcc', ...flags, '-w', '-o', 'pan', 'pan.c');
    const report = await run(3_600_000, './pan', '-m200000', small ? '-w20' : '-w24');
    const search = readReport(report);
    const failure = /^pan:1: (.*) \(at depth/m.exec(report)?.[1];
    if (failure === undefined) return search;
    // Every assertion of the model begins with the property that it stands for.
    const number = Number(/^assertion violated .*?&(\d+)\)/.exec(failure)?.[1]);
    const property = Object.entries(PROPERTIES).find(([, each]) => each === number)?.[0] ?? failure;
    const trail = await run(60_000, 'spin', '-t', ...definitions, 'guard.pml');
    const story = trail
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^(worker|job|venue|Temporal|Redis|tick)\b(?!\[)/.test(line));
    return { ...search, violated: { property, story } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(report: string): Search {
  const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? NaN);
  const search = {
    states: number(/^\s*([\d.e+]+) states, stored/m),
    transitions: number(/^\s*([\d.e+]+) transitions/m),
    depth: number(/depth reached (\d+)/),
    megabytes: Math.round(number(/([\d.]+)\s+total actual memory/)),
    seconds: number(/elapsed time ([\d.]+)/),
  };
  const errors = number(/errors: (\d+)/);
  const whole =
    report.includes('Full statespace search') && !/search depth too small|reached -DMEMLIM|out of memory/.test(report);
  if (!whole || Number.isNaN(search.states) || Number.isNaN(errors) || (errors === 0 && /not completed/.test(report))) {
    throw new Error(`the search was not carried to its end:\n${report.slice(-2_000)}`);
  }
  return search;
}
