import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Context } from '@temporalio/activity';
import { defineEffect, type EffectTicket, type Sighting } from '../../src/index';

export interface Payout {
  payoutId: string;
  to: string;
  amount: string;
  venue?: string;
}

export interface Receipt {
  receiptId: string;
  amount: string;
}

/** How one request goes; called in the place of the payee. `take` is the payee taking it. */
export type Script = (take: () => Receipt, ticket: EffectTicket) => Promise<Receipt>;

const wellBehaved: Script = (take, ticket) => {
  ticket.pass();
  return Promise.resolve(take());
};

/** Somebody who is paid, with books in a file that several processes may share, and effects that pay. */
export function payee(books: string) {
  const scripts = new Map<string, Script[]>();
  const taken = (payoutId: string): Receipt[] => {
    const lines = existsSync(books) ? readFileSync(books, 'utf8').split('\n').filter(Boolean) : [];
    const receipts = lines.map((line) => JSON.parse(line) as Receipt & { payoutId: string });
    return receipts
      .filter((receipt) => receipt.payoutId === payoutId)
      .map(({ receiptId, amount }) => ({ receiptId, amount }));
  };
  const runs: string[] = [];
  const looks: string[] = [];
  const run = (payout: Payout, ticket: EffectTicket): Promise<Receipt> => {
    const { payoutId, amount } = payout;
    runs.push(payoutId);
    const take = (): Receipt => {
      const receipt = { receiptId: `r-${taken(payoutId).length + 1}-${payoutId}`, amount };
      appendFileSync(books, `${JSON.stringify({ payoutId, ...receipt })}\n`);
      return receipt;
    };
    return (scripts.get(payoutId)?.shift() ?? wellBehaved)(take, ticket);
  };
  const lookup = ({ payoutId }: Payout): Promise<Sighting<Receipt>> => {
    looks.push(payoutId);
    const [result] = taken(payoutId);
    return Promise.resolve(
      result ? { kind: 'found', result } : { kind: 'absent', evidence: `no payout ${payoutId} in the books` },
    );
  };
  const common = { intentId: ({ payoutId }: Payout) => payoutId, whenStoreDown: 'refuse', run } as const;
  const looked = { quiesceMs: 300, gapMs: 200 };
  return {
    /** Looked up, and sent again when it is surely absent. */
    send: defineEffect({
      ...common,
      jobType: 'payout.send',
      scope: ({ venue }) => venue ?? 'books',
      whenUnknown: { onAbsent: 'resend', ...looked },
      lookup,
    }),
    once: defineEffect({ ...common, jobType: 'payout.once', whenUnknown: { onAbsent: 'fail', ...looked }, lookup }),
    ask: defineEffect({ ...common, jobType: 'payout.ask', whenUnknown: { onAbsent: 'manual', ...looked }, lookup }),
    blind: defineEffect({ ...common, jobType: 'payout.blind', whenUnknown: 'manual' }),
    notify: defineEffect({
      ...common,
      jobType: 'payout.notify',
      whenUnknown: 'repeat',
      whenStoreDown: 'proceed',
    }),
    /** The next requests for this payout go so, each by one of the scripts; later ones go well. */
    script: (payoutId: string, ...next: Script[]) => void scripts.set(payoutId, next),
    taken,
    /** Payouts whose `run` was started, one entry a start; looks alike. In this process. */
    runsOf: (payoutId: string) => runs.filter((each) => each === payoutId).length,
    looksOf: (payoutId: string) => looks.filter((each) => each === payoutId).length,
  };
}

/** Taken, and the answer is lost. */
export const answerLost: Script = (take, ticket) => {
  ticket.pass();
  take();
  return Promise.reject(new Error('socket hang up'));
};

/** Never arrived, which nobody was told. */
export const requestLost: Script = (_take, ticket) => {
  ticket.pass();
  return Promise.reject(new Error('socket hang up'));
};

/** Taken, and then the process is stuck until Temporal gives it up. */
export const stuck: Script = (take, ticket) => {
  ticket.pass();
  take();
  return Context.current().cancelled;
};
