import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { JobType } from '../domain/job-types';
import { parseUnrounded, RoundedNumberError } from './exact-json';
import { errorText } from './output';
import { readCsv } from './read-csv';
import { UsageError } from './usage-error';

/** One job as it was given: with its place, and with what makes it unreadable where it is. */
export type JobRow = { line: number } & ({ input: unknown } | { problem: string });

/** Where jobs come from: one object on the command line, a file by its ending, or stdin (`-`) by its first character. */
export interface JobSource {
  /** As people are told: a file name, `stdin` or `--input`. */
  name: string;
  /** How a row's place is told: files of lines have lines, a JSON array has entries. */
  place: 'line' | 'entry';
  /** Whether it can be read twice. */
  repeatable: boolean;
  rows(): AsyncIterable<JobRow>;
  /** About how many jobs it holds, for a progress bar; `undefined` where only reading it would tell. */
  size(): Promise<number | undefined>;
}

const FORMATS = { '.json': 'json', '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv' } as const;

/** Throws a `UsageError` for a file that is not there or of another kind, and for input that is not JSON. */
export function jobSource(given: {
  input?: string | undefined;
  file?: string | undefined;
  jobType: JobType;
}): JobSource {
  const { input, file, jobType } = given;
  if ((input === undefined) === (file === undefined))
    throw new UsageError('give exactly one of --input JSON, --file <F.json|F.jsonl|F.csv> and - (stdin)');
  if (input !== undefined) {
    return {
      name: '--input',
      place: 'entry',
      repeatable: true,
      rows: () => fromArray([parsed(input, '--input', 1)]),
      size: () => Promise.resolve(1),
    };
  }
  if (file === '-' || file === undefined) {
    return {
      name: 'stdin',
      place: 'line',
      repeatable: false,
      rows: () => fromStdin(process.stdin, jobType),
      size: () => Promise.resolve(undefined),
    };
  }
  const format = FORMATS[extname(file).toLowerCase() as keyof typeof FORMATS];
  if (!format) throw new UsageError(`--file: ${file} must end in .json, .jsonl or .csv, which says how it is read`);
  checkFile(file);
  const open = (): Readable => createReadStream(file);
  const rows = {
    json: () => fromJson(open(), file),
    jsonl: () => fromLines(open()),
    csv: () => readCsv(open(), jobType, file),
  }[format];
  const size = (): Promise<number | undefined> =>
    format === 'json' ? Promise.resolve(undefined) : countLines(open(), format === 'csv' ? 1 : 0);
  return { name: file, place: format === 'json' ? 'entry' : 'line', repeatable: true, rows, size };
}

async function countLines(source: Readable, less: number): Promise<number> {
  let lines = 0;
  let last = 0x0a;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === 0x0a) lines += 1;
    last = chunk.at(-1) ?? last;
  }
  return Math.max(0, lines + (last === 0x0a ? 0 : 1) - less);
}

function checkFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) throw new UsageError(`--file: ${file} is not there`);
  if (stats.isDirectory()) throw new UsageError(`--file: ${file} is a folder`);
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw new UsageError(`--file: ${file} may not be read by this user`);
  }
}

function parsed(json: string, what: string, line: number): JobRow {
  try {
    return { line, input: parseUnrounded(json) };
  } catch (error) {
    if (error instanceof RoundedNumberError) return { line, problem: error.message };
    return { line, problem: `${what === '' ? '' : `${what}: `}not JSON: ${errorText(error)}` };
  }
}

async function* fromArray(rows: JobRow[]): AsyncGenerator<JobRow> {
  yield* rows;
}

async function* fromLines(source: Readable): AsyncGenerator<JobRow> {
  let line = 0;
  for await (const json of createInterface({ input: source, crlfDelay: Infinity })) {
    line += 1;
    if (json.trim() !== '') yield parsed(line === 1 ? json.replace(/^\uFEFF/, '') : json, '', line);
  }
}

/** One object or an array of them; an array is read as a whole. */
async function* fromJson(source: Readable, name: string): AsyncGenerator<JobRow> {
  const row = parsed((await text(source)).replace(/^\uFEFF/, ''), name, 1);
  if ('problem' in row || !Array.isArray(row.input)) yield row;
  else for (const [i, input] of row.input.entries()) yield { line: i + 1, input: input as unknown };
}

async function* fromStdin(source: Readable, jobType: JobType): AsyncGenerator<JobRow> {
  const { first, whole } = await peek(source);
  if (first === '') throw new UsageError('stdin: empty; give JSON, one JSON object a line, or CSV with a header');
  if (first === '[') yield* fromJson(whole, 'stdin');
  else if (first === '{') yield* fromLines(whole);
  else yield* readCsv(whole, jobType, 'stdin');
}

/** The first character that is not blank, and the stream with everything still in it. */
async function peek(source: Readable): Promise<{ first: string; whole: Readable }> {
  const chunks: Buffer[] = [];
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  let first = '';
  while (first === '') {
    const { value, done } = await iterator.next();
    if (done) break;
    chunks.push(Buffer.from(value));
    first = Buffer.concat(chunks)
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trimStart()
      .charAt(0);
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield* chunks;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield Buffer.from(next.value);
  };
  const whole = new PassThrough();
  void (async () => {
    try {
      for await (const chunk of rest()) if (!whole.write(chunk)) await new Promise((go) => whole.once('drain', go));
      whole.end();
    } catch (error) {
      whole.destroy(error as Error);
    }
  })();
  return { first, whole };
}
