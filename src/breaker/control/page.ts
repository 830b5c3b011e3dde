import type { ControlState } from './state';

/** What the query `state` and the update `override` answer. */
export interface ControlSnapshot extends Omit<ControlState, 'rows' | 'hash' | 'projected' | 'venues'> {
  /** What holds now, the strictest word; AUTOMATIC: nothing is ordered. What the venue itself holds, Redis knows. */
  standing: 'KILLED' | 'FORCED_OPEN' | 'FORCED_CLOSED' | 'AUTOMATIC';
  /** In words: what that means for jobs. */
  meaning: string;
  /** Whether Redis holds it, and so every worker goes by it. */
  inEffect: boolean;
  /** Hash of the audit's last row. */
  hash: string;
}

export function snapshotOf(state: ControlState): ControlSnapshot {
  const { rows: _rows, projected, venues: _venues, ...told } = state;
  const { kill, force, scope, number } = state;
  const standing = kill ? 'KILLED' : force ? (force.action === 'open' ? 'FORCED_OPEN' : 'FORCED_CLOSED') : 'AUTOMATIC';
  const what = scope === 'all' ? 'everywhere' : `at ${scope}`;
  const meanings = {
    KILLED: `nothing that adds risk leaves ${what} until somebody orders unkill; cancels pass`,
    FORCED_OPEN: `nothing that adds risk leaves ${what} until ${time(force?.until)}; then the venue is tried; cancels pass`,
    FORCED_CLOSED: `jobs pass ${what} whatever the automatic breaker says, until ${time(force?.until)}`,
    AUTOMATIC: 'nothing is ordered: the automatic breaker decides',
  };
  return { ...told, standing, meaning: meanings[standing], inEffect: projected === number };
}

/** The workflow's current details in the UI: what stands, who ordered it, what happened. Markdown. */
export function pageOf(state: ControlState): string {
  const { standing, meaning, inEffect, kill, force, automatic, refused, events, number } = snapshotOf(state);
  const by = kill ?? force;
  const ticket = by?.ticket ? ` (${by.ticket})` : '';
  const told = automatic
    ? `${automatic.state} since ${time(automatic.since)}: ${automatic.why}`
    : 'closed, no turn was told yet';
  return [
    `# ${state.scope}: ${standing.replace('_', ' ').toLowerCase()}`,
    '',
    meaning,
    '',
    '| | |',
    '|---|---|',
    ...(by ? [`| ordered | by ${cell(by.actor)} at ${time(by.at)}: ${cell(by.reason)}${cell(ticket)} |`] : []),
    ...(kill && force
      ? [`| beneath the kill | forced ${force.action} by ${cell(force.actor)} until ${time(force.until)} |`]
      : []),
    ...(state.scope === 'all' ? [] : [`| automatic breaker | ${cell(told)} |`]),
    `| known to every worker | ${inEffect ? `yes, order ${number}` : 'not yet: writing it to Redis'} |`,
    ...(refused ? [`| **refused** at ${time(refused.at)} | ${cell(refused.what)} |`] : []),
    '',
    ...events
      .slice(-20)
      .reverse()
      .map(({ at, what }) => `- ${time(at)}: ${cell(what)}`),
    '',
    'Order otherwise by update or signal `override`, or `fillsafe breaker`.',
  ].join('\n');
}

/** `2026-11-27 22:41:26 UTC`. */
function time(iso = ''): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** Texts of people and venues end no cell and open no markup of their own. */
function cell(text: string): string {
  return text.replace(/[|<>`]/g, ' ').replace(/\s+/g, ' ');
}
