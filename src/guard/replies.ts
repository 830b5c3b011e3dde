import { parseTurns } from '../breaker/levels';
import type { ScriptName } from '../redis/scripts';
import type { Admission, LookEnd, LookStart, Settlement } from './answers';
import { parsePayload } from './record';

/** What `admit.lua` answered. */
export function admissionOf(
  reply: string[],
  { suspected, missing }: { suspected: string; missing: string },
): Admission {
  const [kind, , first = '', second = '', third = '', fourth = ''] = reply;
  switch (kind) {
    case 'GO': {
      const turns = parseTurns(fourth);
      return { kind, fence: first, sends: Number(second), wouldBlock: third === '1', missing, turns };
    }
    case 'REPLAY':
    case 'REJECTED':
      return { kind, payload: parsePayload(first), owner: second, attempts: Number(third) };
    case 'BUSY':
      return { kind, waitMs: Number(first) };
    case 'OPEN':
      return { kind, waitMs: Number(first), level: second, why: third, turns: parseTurns(fourth) };
    case 'PROBE':
      return { kind, token: first, level: second, turns: parseTurns(third) };
    case 'UNKNOWN':
      return { kind, waitMs: Number(first), suspected };
    case 'CONFLICT':
      return { kind };
    case 'MANUAL':
      return { kind, evidence: parsePayload(first) };
    default:
      throw unexpected('admit', kind);
  }
}

/** What `settle.lua` answered. */
export function settlementOf([kind, state = '', third = '', lone, turns = '']: string[]): Settlement {
  const told = { state, lone: lone === '1', turns: parseTurns(turns) };
  if (kind === 'FENCED') return { ...told, kind, payload: parsePayload(third) };
  if (kind !== 'OK') throw unexpected('settle', kind);
  return { ...told, kind, attempts: Number(third) };
}

/** What `look-begin.lua` answered. */
export function lookStartOf(reply: string[]): LookStart {
  const [kind, , first = '', second = '', third = '', fourth = ''] = reply;
  switch (kind) {
    case 'LOOK': {
      const [toQuiescenceMs = 0, never = 0, looks = 0, absents = 0, sinceAbsentMs = 0, ageMs = 0, wouldBlock = 0] =
        reply.slice(3, 10).map(Number);
      const times = { toQuiescenceMs, neverSent: never === 1, looks, absents, sinceAbsentMs, ageMs };
      return { kind, fence: first, ...times, wouldBlock: wouldBlock === 1, turns: parseTurns(reply[10] ?? '') };
    }
    case 'OPEN':
      return { kind, waitMs: Number(first), level: second, why: third, turns: parseTurns(fourth) };
    case 'DONE':
    case 'REJECTED':
      return { kind, payload: parsePayload(first), owner: second, attempts: Number(third) };
    case 'RELEASED':
      return { kind, neverSent: first === '1' };
    case 'BUSY':
      return { kind, waitMs: Number(first) };
    case 'MANUAL':
      return { kind, evidence: parsePayload(first) };
    case 'CONFLICT':
      return { kind };
    default:
      throw unexpected('look-begin', kind);
  }
}

/** What `look-end.lua` answered. */
export function lookEndOf([kind, first = '', lone, turns = '']: string[]): LookEnd {
  const told = { lone: lone === '1', turns: parseTurns(turns) };
  switch (kind) {
    case 'DONE':
    case 'REJECTED':
      return { ...told, kind, attempts: Number(first) };
    case 'RELEASED':
      return { ...told, kind, neverSent: first === '1' };
    case 'AGAIN':
      return { ...told, kind, waitMs: Number(first) };
    case 'MANUAL':
      return { ...told, kind };
    case 'FENCED':
      return { ...told, kind, state: first };
    default:
      throw unexpected('look-end', kind);
  }
}

function unexpected(script: ScriptName, kind: string | undefined): Error {
  return new Error(`${script}.lua answered ${String(kind)}, which this version does not know`);
}
