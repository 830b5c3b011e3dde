import { LOOK_UP_LEVEL } from '../scope';
import type { ControlState } from './state';

/** What the query `state` and the update `override` answer. */
export interface ControlSnapshot extends Omit<
  ControlState,
  'rows' | 'projected' | 'places' | 'isAdopted' | 'isLost' | 'seen' | 'told' | 'taken'
> {
  /** What holds now, the strictest word; AUTOMATIC: nothing is ordered. What the venue itself holds, Redis knows. */
  standing: 'KILLED' | 'FORCED_OPEN' | 'FORCED_CLOSED' | 'AUTOMATIC';
  /** In words: what that means for jobs. */
  meaning: string;
  /** Whether Redis holds it, and so every worker goes by it. */
  inEffect: boolean;
}

export function snapshotOf(state: ControlState): ControlSnapshot {
  const {
    rows: _rows,
    places: _places,
    taken: _taken,
    seen: _seen,
    told: _told,
    projected,
    isAdopted,
    isLost,
    ...shown
  } = state;
  const { kill, force, scope, number } = state;
  const standing = kill ? 'KILLED' : force ? (force.action === 'open' ? 'FORCED_OPEN' : 'FORCED_CLOSED') : 'AUTOMATIC';
  const what = scope === 'all' ? 'everywhere' : `at ${scope}`;
  const isOfLooks = scope.endsWith(`/${LOOK_UP_LEVEL}`);
  const meanings = {
    KILLED: `nothing that adds risk leaves ${what} until somebody orders unkill; cancels pass`,
    FORCED_OPEN: isOfLooks
      ? `nobody asks the venue what became of lost answers until ${time(force?.until)}; jobs in doubt wait`
      : `nothing that adds risk leaves ${what} until ${time(force?.until)}; then the venue is tried; cancels pass`,
    FORCED_CLOSED: `${isOfLooks ? 'look-ups' : 'jobs'} pass ${what} whatever the automatic breaker says, until ${time(force?.until)}`,
    AUTOMATIC: isAdopted
      ? 'nothing is ordered: the automatic breaker decides'
      : 'what was ordered before is not known yet: it is being read from Redis',
  };
  const inEffect = isAdopted && !isLost && projected === number;
  return { ...shown, standing, meaning: meanings[standing], inEffect };
}

/** The workflow's current details in the UI: what stands, who ordered it, what happened. Markdown. */
export function pageOf(state: ControlState): string {
  const { standing, meaning, inEffect, kill, force, automatic, refused, events, number, note } = snapshotOf(state);
  const by = kill ?? force;
  const ticket = by?.ticket ? ` (${by.ticket})` : '';
  const rows: [name: string, text: string][] = [];
  if (by) rows.push(['ordered', `by ${by.actor} at ${time(by.at)}: ${by.reason}${ticket}`]);
  if (kill && force)
    rows.push(['beneath the kill', `forced ${force.action} by ${force.actor} until ${time(force.until)}`]);
  if (state.scope !== 'all') {
    const told = automatic && `${automatic.state} since ${time(automatic.since)}: ${automatic.why}`;
    rows.push(['automatic breaker', told ?? 'closed, no turn was told yet']);
  }
  rows.push(['known to every worker', inEffect ? `yes, order ${number}` : 'not yet: writing it to Redis']);
  if (note !== '') rows.push(['to be known', note]);
  if (refused) rows.push(['REFUSED', `at ${time(refused.at)}: ${refused.what}`]);
  return [
    `# ${state.scope}: ${standing.replace('_', ' ').toLowerCase()}`,
    '',
    meaning,
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([name, text]) => `| ${name} | ${plain(text)} |`),
    '',
    ...[...events.slice(-20)].reverse().map(({ at, what }) => `- ${time(at)}: ${plain(what)}`),
    '',
    'Order otherwise by update or signal `override`, or `fillsafe breaker`.',
  ].join('\n');
}

/** `2026-11-27 22:41:26 UTC`. */
function time(iso = ''): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** Texts of people and venues end no cell, open no markup and no link of their own. */
function plain(text: string): string {
  return text.replace(/[|<>`[\]*~\\]/g, ' ').replace(/\s+/g, ' ');
}
