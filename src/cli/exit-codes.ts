/** What a command's end means. Of a batch the worst counts: NEEDS_PERSON, then FAILED, then HELD. */
export const EXIT = {
  DONE: 0,
  /** Failed, or refused by the venue. */
  FAILED: 1,
  BAD_USAGE: 2,
  /** Held or refused by guard or breaker. */
  HELD: 3,
  NEEDS_PERSON: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const RANK: ExitCode[] = [EXIT.DONE, EXIT.HELD, EXIT.FAILED, EXIT.NEEDS_PERSON, EXIT.BAD_USAGE];

export function worst(codes: Iterable<ExitCode>): ExitCode {
  let found: ExitCode = EXIT.DONE;
  for (const code of codes) if (RANK.indexOf(code) > RANK.indexOf(found)) found = code;
  return found;
}
