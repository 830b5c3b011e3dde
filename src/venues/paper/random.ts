import { createHash } from 'node:crypto';

/** A repeatable stream of random numbers. */
export interface Random {
  /** In [0, 1). */
  fraction(): number;
  /** Whole number in [from, to], both included. */
  integer(from: number, to: number): number;
}

/**
 * Random numbers from `seed` and `label`. Each user of randomness has a label of its own, so that a request for one
 * symbol never shifts the draws of another.
 */
export function createRandom(seed: number, label: string): Random {
  let state = createHash('sha256').update(`${seed}:${label}`).digest().readUInt32BE(0);
  // mulberry32: small, fast, and good enough for prices and faults.
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { fraction, integer: (from, to) => from + Math.floor(fraction() * (to - from + 1)) };
}
