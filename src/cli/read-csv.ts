import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import type { JobType } from '../domain/job-types';
import { isInvalidInput, parseJobInput } from '../domain/order.schema';
import { errorText } from './output';
import type { JobRow } from './read-jobs';
import { UsageError } from './usage-error';

/**
 * Rows of a CSV file: the header names the fields, every value is a string, an empty one is absent. Throws a `UsageError`
 * for a header that names no field of the job type; a bad row is a row with a problem.
 *
 * Each line is read for itself. No field holds a line break, and a quote that is never closed would otherwise swallow
 * every row after it.
 */
export async function* readCsv(source: Readable, jobType: JobType, what: string): AsyncGenerator<JobRow> {
  let header: string[] | undefined;
  let line = 0;
  for await (const text of createInterface({ input: source, crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === '') continue;
    const values = valuesOf(line === 1 ? text.replace(/^\uFEFF/, '') : text);
    if (header !== undefined) {
      yield 'problem' in values ? { line, ...values } : rowOf(header, values.record, line);
      continue;
    }
    if ('problem' in values) throw new UsageError(`${what}: the header cannot be used: ${values.problem}`);
    header = values.record;
    checkHeader(header, jobType, what);
  }
}

function valuesOf(text: string): { record: string[] } | { problem: string } {
  try {
    const [record = []] = parse(text, { trim: true, relax_column_count: true });
    return { record };
  } catch (error) {
    return { problem: `not readable as CSV: ${errorText(error).replace(/ at line 1\b/, '')}` };
  }
}

function rowOf(header: string[], record: string[], line: number): JobRow {
  if (record.length !== header.length)
    return { line, problem: `has ${record.length} values, the header names ${header.length} fields` };
  const fields = header.map((name, i) => [name, record[i] ?? ''] as const).filter(([, value]) => value !== '');
  return { line, input: Object.fromEntries(fields) };
}

function checkHeader(header: string[], jobType: JobType, what: string): void {
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`${what}: column "${twice}" is there twice`);
  const unknown = unknownFields(header, jobType);
  if (unknown.length > 0) throw new UsageError(`${what}: the header cannot be used: ${unknown.join('; ')}`);
}

/** The schema itself says which fields it does not know. */
function unknownFields(names: string[], jobType: JobType): string[] {
  try {
    parseJobInput(jobType, Object.fromEntries(names.map((name) => [name, 'x'])));
    return [];
  } catch (error) {
    if (!isInvalidInput(error)) throw error;
    return error.problems.filter((problem) => problem.includes(': there is no such field'));
  }
}
