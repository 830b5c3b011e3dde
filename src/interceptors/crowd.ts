import { inflightMember, type IntentRef } from '../guard/keys';

/**
 * Attempts of this process that wait for another attempt's act on the same intent. One of them asks the guard again and
 * again, the others wait for what it hears: a crowd of callers must not slow down the one that acts.
 */
export class Crowd {
  private readonly askers = new Map<string, Promise<void>>();

  /** One attempt's place; it must be left in the end, and as soon as the guard says anything but BUSY. */
  join(ref: IntentRef): Place {
    // No venue's name holds a colon: two intents never run into one.
    const intent = `${ref.venue}:${inflightMember(ref)}`;
    let tell: (() => void) | undefined;
    return {
      wait: async (sleep, { stepMs, mostMs }) => {
        const asker = this.askers.get(intent);
        if (asker && !tell) return Promise.race([asker, sleep(mostMs)]);
        if (!tell) this.askers.set(intent, new Promise((resolve) => (tell = resolve)));
        return sleep(stepMs);
      },
      leave: () => {
        if (!tell) return;
        this.askers.delete(intent);
        tell();
        tell = undefined;
      },
    };
  }
}

export interface Place {
  /** Waits until it is worth asking again: `stepMs` for the one that asks, at most `mostMs` for the others. */
  wait(sleep: (ms: number) => Promise<void>, times: { stepMs: number; mostMs: number }): Promise<void>;
  leave(): void;
}
