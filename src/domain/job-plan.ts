import type { OrderResult } from './order';

/** How an effect that people defined ended. */
export interface EffectResult<Result extends object = object> {
  intentId: string;
  status: 'done';
  /** What its `run` answered, or its `lookup` found. */
  result: Result;
  /** Whether an earlier caller's act is answered here. */
  replayed: boolean;
  /** Activity attempts that it took. */
  attempts: number;
}

/** How a job ended that is done. */
export type JobResult = OrderResult | EffectResult;

/**
 * What a workflow needs to know of configuration and policy for one effect. Made by the local activity `planJob` and so
 * kept in the workflow's history: a replay decides by what was true then. All times in ms.
 */
export interface JobPlan {
  jobType: string;
  intentId: string;
  /** `books` where it concerns no venue. */
  venue: string;
  symbol?: string;
  /** Of the checked input; kept in the memo, where clients compare it. */
  fingerprint: string;
  /** The act in one line, for people. */
  summary: string;
  /** The breaker that held its queue when it began, in words; it may have let go since. */
  held?: string;
  /** The checked input: what the effect is given. */
  input: object;
  taskQueue: string;
  lookUpQueue: string;
  scheduleToCloseMs: number;
  /** From the plan on until it must surely not leave any more; absent where there is no such time. */
  lifeMs?: number;
  startToCloseMs: number;
  heartbeatMs: number;
  initialIntervalMs: number;
  maximumIntervalMs: number;
  /** What to do when the act is surely absent. */
  onAbsent: 'resend' | 'fail' | 'manual';
  lookUp: { startToCloseMs: number; initialIntervalMs: number; maximumIntervalMs: number };
  /** Whether the server knows fillsafe's search attributes; setting an unknown one would wedge the workflow. */
  searchAttributes: boolean;
}

/** What activity `lookUp` is asked. */
export interface LookUpInput {
  jobType: string;
  input: object;
  /** Activity id of the act that Temporal has given up, where it has; its claim need not be waited for. */
  givenUp?: string;
  /** The same of an act of another workflow, which has ended: `<workflow id>/<run id>/<activity id>` as its record has it. */
  abandoned?: string;
  /** No worker took the act before its time was over, so that none can act any more: it ends as EXPIRED if nobody else acted. */
  neverTaken?: boolean;
  /** What follows when the act is surely absent; as its effect says where it is not given. */
  onAbsent?: JobPlan['onAbsent'];
}

/** What became of an act. `absent`: it did not happen and may be sent again. `manual`: a person must decide. */
export type LookUpAnswer =
  | { outcome: 'done'; result: JobResult }
  | { outcome: 'rejected'; category: string; message: string; code?: number | string }
  /** `neverSent`: nothing of it ever left; it was only looked up because Redis may have lost a record. */
  | { outcome: 'absent'; neverSent?: boolean }
  | { outcome: 'manual'; evidence: string };

/** A person's decision on a parked job. */
export interface Resolution {
  /** `done`: it happened · `absent`: it did not, go on by the policy · `rejected`: end the job as refused. */
  decision: 'done' | 'absent' | 'rejected';
  reason: string;
  actor: string;
  /** The venue's order id, for an order that is `done`. */
  orderId?: string;
  /** The result of any other effect that is `done`; may be left out where its look-up finds it. */
  result?: object;
  /** The code of a refusal by which the venue contradicted: decides all the same. */
  confirm?: string;
  /** Which intent is meant, and of which job type, where a workflow has several that wait. */
  intentId?: string;
  jobType?: string;
}

/** What query `status` answers. */
export interface JobStatus {
  intentId: string;
  jobType: string;
  venue: string;
  /** planning · acting · looking up · parked · done · failed */
  stage: string;
  /** What happens now, in words. */
  doing: string;
  doubts: number;
}
