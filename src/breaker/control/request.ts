import { ALL, LOOK_UP_LEVEL, parseScope } from '../scope';

export const ACTIONS = ['open', 'close', 'auto', 'kill', 'unkill'] as const;
export type OverrideAction = (typeof ACTIONS)[number];

/** What a person orders of a breaker, by update or signal `override`. */
export interface OverrideRequest {
  /**
   * `open`: holds everything that it may hold · `close`: lets pass what the automatic breaker would hold, but nothing that is
   * killed or that the venue told to hold · `auto`: ends either · `kill`: holds until `unkill`, above all else.
   */
  action: OverrideAction;
  /** Why, for the audit: 1 to 500 characters. */
  reason: string;
  /** Who: 1 to 100 characters. */
  actor: string;
  /** How long `open` or `close` holds: whole seconds, 1 to 2,592,000 (30 days). A kill has no end; the others need none. */
  forSeconds?: number;
  /** Where to read more, for the audit: at most 100 characters. */
  ticket?: string;
}

const FIELDS = ['action', 'reason', 'actor', 'forSeconds', 'ticket'];
const LONGEST_SECONDS = 30 * 86_400;
/** What a terminal or a record of lines would take for more than text, or would show in another order than it was written. */
const NOT_PLAIN = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Reads an order for a scope. Throws a `TypeError` that names each field that is wrong and what it must be. */
export function parseOverrideRequest(scope: string, raw: unknown): OverrideRequest {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new TypeError('override: must be one object {action, reason, actor, forSeconds, ticket?}');
  const { action, reason, actor, forSeconds, ticket } = raw as Record<string, unknown>;
  const unknown = Object.keys(raw).filter((name) => !FIELDS.includes(name));
  const problems = [
    unknownProblem(unknown),
    actionProblem(scope, action),
    textProblem('reason', reason, 500, 'say why: it is kept in the audit'),
    textProblem('actor', actor, 100, 'say who orders this'),
    ticket === undefined || ticket === null
      ? undefined
      : textProblem('ticket', ticket, 100, 'leave it out if there is none'),
    timeProblem(action, forSeconds),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new TypeError(`override: ${problems.join('; ')}`);
  const takesTime = action === 'open' || action === 'close';
  return {
    action: action as OverrideAction,
    reason: (reason as string).trim(),
    actor: (actor as string).trim(),
    ...(takesTime ? { forSeconds: forSeconds as number } : {}),
    ...(typeof ticket === 'string' ? { ticket: ticket.trim() } : {}),
  };
}

/** However many there are, and however long: the sentence goes into histories. */
function unknownProblem(names: string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).map(shown).join(', ')}${more}: unknown; the fields are ${FIELDS.join(', ')}`;
}

function actionProblem(scope: string, action: unknown): string | undefined {
  if (!ACTIONS.includes(action as OverrideAction))
    return `action: ${shown(action)} must be one of ${ACTIONS.join(', ')}`;
  if (scope === ALL && action !== 'kill' && action !== 'unkill')
    return `action: of the scope "${ALL}" there are only kill and unkill; name a venue to ${String(action)} it`;
  if ((action === 'kill' || action === 'unkill') && parseScope(scope).level === LOOK_UP_LEVEL)
    return `action: look-ups add no risk, and no kill stops them; to rest them there is "open"`;
  return undefined;
}

function textProblem(name: string, value: unknown, most: number, help: string): string | undefined {
  if (typeof value !== 'string' || value.trim() === '') return `${name}: ${shown(value)} must be a text; ${help}`;
  if (value.trim().length > most) return `${name}: has ${value.trim().length} characters, at most ${most} are kept`;
  if (NOT_PLAIN.test(value.trim())) return `${name}: must be one line without control characters`;
  return undefined;
}

function timeProblem(action: unknown, forSeconds: unknown): string | undefined {
  const isGiven = forSeconds !== undefined && forSeconds !== null;
  const needsTime = action === 'open' || action === 'close';
  // A kill that was given an end is taken all the same: it holds on, and refusing it would hold nothing.
  if (!needsTime) return undefined;
  if (!isGiven) return `forSeconds: missing; "${action}" must end by itself: say after how many seconds`;
  const isWhole = typeof forSeconds === 'number' && Number.isInteger(forSeconds);
  if (!isWhole || forSeconds < 1 || forSeconds > LONGEST_SECONDS)
    return `forSeconds: ${shown(forSeconds)} must be a whole number from 1 to ${LONGEST_SECONDS}`;
  return undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing,';
  const isPlain = typeof value === 'string' || typeof value === 'object';
  return (isPlain ? JSON.stringify(value) : String(value)).slice(0, 60);
}
