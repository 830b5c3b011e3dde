import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex } from '@noble/hashes/utils';
import { ACTIONS, type OverrideAction, type OverrideRequest } from './request';

/**
 * One order in the audit of a scope. Each row carries the hash of the one before, so that no row can be changed, taken out or
 * put in without the chain telling. In Redis the row is JSON in the stream `audit` of each venue that it concerns.
 */
export interface AuditRow {
  scope: string;
  /** From 1 on, without gaps but those after a loss, where workers remember later orders than are left. */
  number: number;
  /** ISO 8601, by Temporal's clock. */
  at: string;
  action: OverrideAction;
  actor: string;
  reason: string;
  /** Null for what has no end of its own. */
  forSeconds: number | null;
  ticket: string | null;
  /** Hash of the row before, `''` for the first. */
  previous: string;
  /** SHA-256, hex, of everything above. */
  hash: string;
}

/** The row of an order that follows `previous`. */
export function nextRow(
  scope: string,
  previous: { number: number; hash: string },
  { action, actor, reason, forSeconds, ticket }: OverrideRequest,
  at: string,
): AuditRow {
  const row = {
    ...{ scope, number: previous.number + 1, at, action, actor, reason },
    ...{ forSeconds: forSeconds ?? null, ticket: ticket ?? null, previous: previous.hash },
  };
  return { ...row, hash: hashOf(row) };
}

export function hashOf(row: Omit<AuditRow, 'hash'>): string {
  const { scope, number, at, action, actor, reason, forSeconds, ticket, previous } = row;
  return bytesToHex(sha256(JSON.stringify([scope, number, at, action, actor, reason, forSeconds, ticket, previous])));
}

/** Reads a row as the stream holds it; `undefined` for what is none, be it by one field too many. */
export function readRow(text: string): AuditRow | undefined {
  let row: AuditRow;
  try {
    row = JSON.parse(text) as AuditRow;
  } catch {
    return undefined;
  }
  if (typeof row !== 'object' || row === null || Object.keys(row).length !== 10) return undefined;
  const { scope, number, at, action, actor, reason, forSeconds, ticket, previous, hash } = row;
  const areTexts = [scope, at, actor, reason, ticket ?? '', previous, hash].every((each) => typeof each === 'string');
  const areNumbers = Number.isInteger(number) && Number.isInteger(forSeconds ?? 0);
  return areTexts && areNumbers && ACTIONS.includes(action) ? row : undefined;
}

/** What is wrong with a chain: the first row that does not fit, and how. */
export interface BrokenRow {
  number: number;
  problem: string;
}

/** What a control workflow knows of its audit: the last rows, and the number up to which Redis has taken them. */
export interface KnownAudit {
  rows: readonly AuditRow[];
  number: number;
  projected: number;
}

/**
 * The first row of a scope's chain, the oldest first, that is not as it was given. By itself a chain shows all but its last rows
 * being taken away, or all rows from one on being made anew; its control workflow knows those.
 */
export function firstBrokenRow(rows: readonly AuditRow[], known?: KnownAudit): BrokenRow | undefined {
  const isSound = (row: AuditRow): boolean => row.hash === hashOf(row);
  const unsound = rows.find((row) => !isSound(row));
  const broken = [
    unsound && { number: unsound.number, problem: 'it is not what it was: its hash is another one' },
    unlinkedRow(rows.filter(isSound)),
    known && foreignBefore(rows, known.rows),
    known && foreignRow(rows, known),
  ];
  return broken.filter((each) => each !== undefined).sort((a, b) => a.number - b.number)[0];
}

/** The first row may be a later one than number 1: what was before it can then not be checked. */
function unlinkedRow(rows: readonly AuditRow[]): BrokenRow | undefined {
  let expected = Math.min(...rows.map(({ number }) => number));
  let carried: string | undefined = expected === 1 ? '' : undefined;
  for (const { number, hash, previous } of rows) {
    // Numbers that were never given here leave no gap: the row goes on from the one before it.
    if (number > expected && previous !== carried)
      return { number: expected, problem: 'it is missing, or not in its place' };
    if (number < expected) return { number, problem: 'it stands behind a later one, or twice' };
    if (previous !== (carried ?? previous))
      return { number, problem: 'it or the row before it is not what it was: their hashes differ' };
    expected = number + 1;
    carried = hash;
  }
  return undefined;
}

/** What a control workflow knows of rows that it keeps no more: the first one that it keeps carries the hash of the last of them. */
function foreignBefore(rows: readonly AuditRow[], [first]: readonly AuditRow[]): BrokenRow | undefined {
  const last = first && rows.findLast(({ number }) => number < first.number);
  if (!last || last.hash === first.previous) return undefined;
  const problem = 'it or a row before it is another one than its control workflow went on from';
  return { number: last.number, problem };
}

function foreignRow(rows: readonly AuditRow[], known: KnownAudit): BrokenRow | undefined {
  const found = new Map(rows.map(({ number, hash }) => [number, hash]));
  for (const { number, hash } of known.rows) {
    const theirs = found.get(number);
    if (theirs === undefined && number <= known.projected)
      return { number, problem: 'it is missing, its control workflow has it' };
    if (theirs === undefined || theirs === hash) continue;
    return { number, problem: 'its control workflow has another one in its place' };
  }
  const stranger = rows.find(({ number }) => number > known.number);
  return stranger && { number: stranger.number, problem: 'its control workflow never took such an order' };
}
