import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';

/** The claim ran out before the request left: nothing was sent. */
export class LateToSendError extends Error {
  override readonly name = 'LateToSendError';
  readonly isLateToSend = true;
}

/** The order's own deadline passed before the request left: nothing was sent. */
export class ExpiredError extends Error {
  override readonly name = 'ExpiredError';
  readonly isExpired = true;
}

/**
 * The right to act once, given by the guard. Its clock is this process's monotonic one, started before the guard was asked,
 * so that a worker that was paused past its claim never sends, whatever Redis's or the machine's clock says.
 */
export class Ticket {
  /** Whether the request may have left. Only then is a failure a doubt. */
  left = false;

  constructor(
    private readonly options: {
      /** `performance.now()` before the guard was asked. */
      askedAt: number;
      sendWithinMs: number;
      /** Requests of this intent that may have left, this one included. */
      sends: number;
      /** Epoch ms by the venue's clock. */
      expiresAt?: number | undefined;
      venueNow: () => number;
    },
  ) {}

  /** True when an earlier request of this intent may have left too: the venue's refusals then are evidence about that one. */
  get resend(): boolean {
    return this.options.sends > 1;
  }

  /** Called right before the first byte leaves. Throws `LateToSendError` or `ExpiredError` when it must not leave any more. */
  pass(): void {
    this.check();
    // From here on a crash or an error leaves a doubt.
    this.left = true;
  }

  /** Throws like `pass`, but lets nothing go. */
  check(): void {
    const { askedAt, sendWithinMs, expiresAt, venueNow } = this.options;
    const age = performance.now() - askedAt;
    if (age > sendWithinMs) {
      throw new LateToSendError(
        `the request was ready ${Math.round(age)} ms after the guard was asked, ${sendWithinMs} are allowed: nothing was sent`,
      );
    }
    if (expiresAt !== undefined && venueNow() >= expiresAt) {
      throw new ExpiredError(`expiresAt ${new Date(expiresAt).toISOString()} has passed: nothing was sent`);
    }
  }
}

const current = new AsyncLocalStorage<Ticket>();

/** Runs `act` holding `ticket`. */
export function withTicket<T>(ticket: Ticket, act: () => Promise<T>): Promise<T> {
  return current.run(ticket, act);
}

/** The ticket of the running act. Throws where there is none: an effect never runs without the guard's consent. */
export function currentTicket(): Ticket {
  const ticket = current.getStore();
  if (!ticket) {
    throw new Error('this effect was started without the guard: give the worker the fillsafe plugin, which admits it');
  }
  return ticket;
}

export function isLateToSend(error: unknown): error is LateToSendError {
  return typeof error === 'object' && error !== null && 'isLateToSend' in error;
}

export function isExpired(error: unknown): error is ExpiredError {
  return typeof error === 'object' && error !== null && 'isExpired' in error;
}
