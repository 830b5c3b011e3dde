import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { VenueEvent } from './orders';

export interface Journal {
  /** Events of earlier lives, oldest first. */
  readonly history: VenueEvent[];
  /** Returns when the operating system has the line: it outlives the process, though not a power cut. */
  append(event: VenueEvent): void;
  close(): void;
}

/**
 * Opens `<dataDir>/venue.jsonl`, one event a line. A last line without its newline was being written when the venue
 * died, hence its answer never left: it is cut off. Throws for any other line that cannot be read.
 */
export function openJournal(dataDir: string): Journal {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'venue.jsonl');
  const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const wholeBytes = content.lastIndexOf(0x0a) + 1;
  const lines = content.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1);
  const history = lines.map((line, index) => parseLine(line, index, file));
  const descriptor = openSync(file, 'a');
  if (wholeBytes < content.length) ftruncateSync(descriptor, wholeBytes);
  let size = wholeBytes;
  return {
    history,
    append: (event) => {
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      if (writeSync(descriptor, line) < line.length) {
        // A half line in the middle would make the file unreadable; the event has not happened.
        ftruncateSync(descriptor, size);
        throw new Error(`${file} cannot grow: make room on its disk`);
      }
      size += line.length;
    },
    close: () => closeSync(descriptor),
  };
}

function parseLine(line: string, index: number, file: string): VenueEvent {
  try {
    return JSON.parse(line) as VenueEvent;
  } catch (cause) {
    throw new Error(`${file} line ${index + 1} is not JSON: restore the file or move it away`, { cause });
  }
}
