import type { FailureInput } from './categories';
import { patternOf, rangeOf, type Rule } from './rule-schema';

type Condition = (failure: FailureInput) => boolean;

const listOf = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value]);

/** Turns a rule's `match` into a test. Fields that are absent match everything; all that are present must hold. */
export function compileMatch(match: Rule['match']): Condition {
  const conditions: Condition[] = [];
  const { operation, phase, httpStatus, code, message } = match;
  if (operation !== undefined) {
    const operations = listOf(operation);
    conditions.push((failure) => operations.includes(failure.operation));
  }
  if (phase !== undefined) {
    const phases = listOf(phase);
    conditions.push((failure) => phases.includes(failure.phase));
  }
  if (httpStatus !== undefined) conditions.push(anyOf(listOf(httpStatus).map(statusCondition)));
  if (code !== undefined) conditions.push(anyOf(listOf(code).map(codeCondition)));
  if (message !== undefined) conditions.push(anyOf(listOf(message).map(messageCondition)));
  return (failure) => conditions.every((condition) => condition(failure));
}

function anyOf(conditions: Condition[]): Condition {
  return (failure) => conditions.some((condition) => condition(failure));
}

function statusCondition(wanted: number | string): Condition {
  if (wanted === 'none') return ({ httpStatus }) => httpStatus === undefined;
  if (typeof wanted === 'number') return ({ httpStatus }) => httpStatus === wanted;
  const hundreds = Number(wanted.charAt(0));
  return ({ httpStatus }) => httpStatus !== undefined && Math.floor(httpStatus / 100) === hundreds;
}

function codeCondition(wanted: number | string): Condition {
  const range = typeof wanted === 'string' ? rangeOf(wanted) : undefined;
  if (range === undefined) return ({ code }) => code === wanted;
  return ({ code }) => typeof code === 'number' && code >= range.low && code <= range.high;
}

function messageCondition(wanted: string): Condition {
  const pattern = patternOf(wanted);
  return ({ message }) => message !== undefined && pattern !== undefined && pattern.test(message);
}
