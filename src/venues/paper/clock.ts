/** Time as the venue sees it. Tests put their own in place and move it by hand. */
export interface VenueClock {
  /** Epoch ms. */
  now(): number;
  /** Runs `run` every `ms` until the returned function is called. */
  every(ms: number, run: () => void): () => void;
  /** Runs `run` once after `ms`, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;
}

// Unref'ed: a ticking market alone must not keep a process alive.
export const systemClock: VenueClock = {
  now: () => Date.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** The venue's own clock: `base` moved by an offset that an operator sets, to try clients whose clock is off. */
export interface SkewedClock extends VenueClock {
  offsetMs: number;
}

export function skewedClock(base: VenueClock): SkewedClock {
  return {
    offsetMs: 0,
    now() {
      return base.now() + this.offsetMs;
    },
    every: base.every,
    after: base.after,
  };
}
