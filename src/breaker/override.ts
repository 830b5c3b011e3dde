/**
 * What people ordered of one scope. Kill and force are slots of their own: a kill wins while it is set, and lifting it leaves a
 * force that has not ended. Its control workflow is the source of truth, Redis a projection.
 */
export interface Override {
  /** Number of the last order in the control workflow. Only grows. */
  number: number;
  kill: boolean;
  force: '' | 'open' | 'closed';
  /** Redis ms at which the force ends; 0 where there is none. */
  until: number;
  /** Who forced, why, and under which ticket; `''` where nothing is forced. */
  actor: string;
  reason: string;
  ticket: string;
  killedBy: string;
  killReason: string;
  /** When it was forced and when it was killed: epoch ms by Temporal's clock, 0 where that is not known. */
  forcedAt: number;
  killedAt: number;
}

export const NO_OVERRIDE: Override = {
  number: 0,
  kill: false,
  force: '',
  until: 0,
  actor: '',
  reason: '',
  ticket: '',
  killedBy: '',
  killReason: '',
  forcedAt: 0,
  killedAt: 0,
};

/** Reads the lines that `override.lua` writes; no override where there are none. */
export function parseOverride(raw: string | null): Override {
  if (!raw) return NO_OVERRIDE;
  const [format, number = '0', kill, force = '', until = '0', actor = '', reason = '', ticket = '', ...more] =
    raw.split('\n');
  // Whoever cannot read a kill must not act as if there were none.
  if (format !== '1') throw new Error(`fillsafe: override format ${String(format)} is newer than this version`);
  // Who wrote it may not have told times yet.
  const [killedBy = '', killReason = '', forcedAt, killedAt] = more;
  return {
    number: Number(number),
    kill: kill === '1',
    force: force === 'open' || force === 'closed' ? force : '',
    until: Number(until),
    actor,
    reason,
    ticket,
    killedBy,
    killReason,
    forcedAt: timeOf(forcedAt),
    killedAt: timeOf(killedAt),
  };
}

/** What is no time is none, so that no reader trips over it. */
function timeOf(text = ''): number {
  return /^\d{1,14}$/.test(text) ? Number(text) : 0;
}

/** Whether a force is in effect at this moment of Redis time: the end of one needs nobody to take it away. */
export function forceAt({ force, until }: Override, nowMs: number): Override['force'] {
  return nowMs < until ? force : '';
}
