import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex } from '@noble/hashes/utils';
import type { OverrideAction, OverrideRequest } from './request';

/**
 * One order in the audit of a scope. Each row carries the hash of the one before, so that no row can be changed, taken out or
 * put in without the chain telling. In Redis the row is JSON in the stream `audit` of each venue that it concerns.
 */
export interface AuditRow {
  scope: string;
  /** From 1 on, without gaps. */
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

export function hashOf({
  scope,
  number,
  at,
  action,
  actor,
  reason,
  forSeconds,
  ticket,
  previous,
}: Omit<AuditRow, 'hash'>): string {
  const sealed = [scope, number, at, action, actor, reason, forSeconds, ticket, previous];
  return bytesToHex(sha256(JSON.stringify(sealed)));
}

/** What is wrong with a chain: the first row that does not fit, and how. */
export interface BrokenRow {
  number: number;
  problem: string;
}

/**
 * Checks the rows of one scope, the oldest first. The first row may be a later one than number 1: what was before it can then
 * not be checked.
 */
export function firstBrokenRow(rows: readonly AuditRow[]): BrokenRow | undefined {
  let before: AuditRow | undefined;
  for (const row of rows) {
    const expected = before ? before.number + 1 : row.number;
    if (row.number < expected) return { number: row.number, problem: 'it stands behind a later one, or twice' };
    if (row.number > expected) return { number: expected, problem: 'it is missing' };
    if (row.hash !== hashOf(row))
      return { number: row.number, problem: 'it is not what it was: its hash is another one' };
    const previous = before?.hash ?? (row.number === 1 ? '' : row.previous);
    if (row.previous !== previous)
      return { number: row.number, problem: 'it does not carry the hash of the row before it' };
    before = row;
  }
  return undefined;
}

/** The first row of `rows` that its control workflow knows otherwise, or not at all. */
export function firstForeignRow(
  rows: readonly AuditRow[],
  known: { rows: readonly AuditRow[]; number: number },
): BrokenRow | undefined {
  const hashes = new Map(known.rows.map((row) => [row.number, row.hash]));
  for (const { number, hash } of rows) {
    if (number > known.number) return { number, problem: 'its control workflow never took such an order' };
    const theirs = hashes.get(number);
    if (theirs !== undefined && theirs !== hash) return { number, problem: 'its control workflow has another one' };
  }
  const last = rows.at(-1)?.number ?? 0;
  if (last < known.number) return { number: last + 1, problem: 'it is missing, its control workflow has it' };
  return undefined;
}
