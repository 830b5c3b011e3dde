import { clientOrderIdOf } from '../domain/client-order-id';

/** One thing that goes wrong in the demo's trading day, at the placing of one order. */
export interface Scene {
  intentId: string;
  /** What happens, in one line. */
  what: string;
  /** The fault as the paper venue's scenario file takes it. */
  fault: Record<string, unknown>;
}

/** Executed by the venue before the worker that sent it is killed: the worker never hears the answer. */
export const KILL_INTENT = 't120-in';
/** Submitted again, also under another workflow id, after it was done. */
export const DOUBLED_INTENT = 't100-in';
/** Breaks the venue's lot size. */
export const REFUSED_INTENT = 'demo-refused';

const SCENES: Scene[] = [
  { intentId: 't010-in', what: 'the order is executed, the answer is lost', fault: { kind: 'drop_after' } },
  { intentId: 't020-in', what: 'the connection breaks before the venue has the order', fault: { kind: 'drop_before' } },
  { intentId: 't030-in', what: '503, and the order was executed', fault: { kind: 'error_5xx_executed' } },
  { intentId: 't040-in', what: '503, and the order was not executed', fault: { kind: 'error_5xx_not_executed' } },
  {
    intentId: 't050-in',
    what: 'the venue says that it does not know, and executes 4 s later',
    fault: { kind: 'late_execution', ms: 4_000, answer: 'error' },
  },
  {
    intentId: 't060-in',
    what: 'too many requests: come back in 2 s',
    fault: { kind: 'rate_limit', retryAfterSeconds: 2 },
  },
  { intentId: 't070-in', what: 'the venue swallows the order and never answers', fault: { kind: 'black_hole' } },
  { intentId: 't080-in', what: 'the order is executed, the answer is cut off', fault: { kind: 'corrupt' } },
  { intentId: 't090-in', what: 'the answer is lost', fault: { kind: 'drop_after' } },
  {
    intentId: 't090-in',
    what: 'and for 3 s the venue says that it knows no such order',
    fault: { kind: 'lookup_lag', ms: 3_000 },
  },
  {
    intentId: KILL_INTENT,
    what: 'executed, and the worker is killed (-9) before it hears the answer',
    fault: { kind: 'delay', ms: 8_000, phase: 'after' },
  },
];

/** The scenes with their faults aimed at the placing of one order each. */
export function scenesFor(namespace: string, venue: string): (Scene & { clientOrderId: string })[] {
  return SCENES.map((scene) => {
    const clientOrderId = clientOrderIdOf({ namespace, venue, intentId: scene.intentId });
    const match = { method: 'POST', path: '/api/v3/order', clientOrderId };
    return { ...scene, clientOrderId, fault: { ...scene.fault, match, times: 1 } };
  });
}
