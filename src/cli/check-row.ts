import type { FillsafeConfig } from '../config/schema';
import { refusalOf } from '../client/client';
import type { JobType } from '../domain/job-types';
import { workflowIdOf } from '../domain/job-types';
import { checkVenue } from '../domain/lane';
import { isInvalidInput, parseJobInput, type JobInput } from '../domain/order.schema';
import type { JobLine } from './job-line';
import type { JobRow } from './read-jobs';
import { UsageError } from './usage-error';

/** Checks a row before anything is started: its input with the venue filled in, or its refusal. */
export function checkRow(
  row: JobRow,
  { config, jobType, venue }: { config: FillsafeConfig; jobType: JobType; venue: string | undefined },
): { input: JobInput } | { refused: JobLine } {
  const refused = (category: string, message: string, intentId: string | null = null): { refused: JobLine } => {
    const workflowId = intentId === null ? null : workflowIdOf(jobType, intentId);
    return { refused: { intentId, workflowId, status: 'refused', category, message, line: row.line } };
  };
  if ('problem' in row) return refused('INVALID', row.problem);
  const raw = withVenue(row.input, venue);
  try {
    const input = parseJobInput(jobType, raw);
    checkVenue(config, input.venue);
    return { input };
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    const id = (raw as { intentId?: unknown } | null)?.intentId;
    const message = isInvalidInput(error) ? error.problems.join('; ') : refusal.message;
    return refused(refusal.category, message, typeof id === 'string' ? id : null);
  }
}

function withVenue(input: unknown, venue: string | undefined): unknown {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  if (!isObject || venue === undefined) return input;
  const { venue: own } = input as { venue?: unknown };
  return own === undefined || own === null ? { ...input, venue } : input;
}

/** The venue of rows that name none: the one that was asked for, else the only one that is configured. */
export function defaultVenue(config: FillsafeConfig, asked: string | undefined): string | undefined {
  if (asked !== undefined) {
    checkVenue(config, asked);
    return asked;
  }
  const names = Object.keys(config.venues);
  if (names.length === 0) {
    throw new UsageError('venues: none is configured; start `fillsafe dev`, or give a configuration with --config');
  }
  return names.length === 1 ? names[0] : undefined;
}
