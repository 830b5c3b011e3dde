import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer, Api } from './api';
import type { VenueClock } from './clock';
import type { FaultPlan, Faults, RequestFacts } from './faults';
import { sendCut, sendJson } from './http';
import type { ApiRequest, Router } from './routes';
import type { RequestTruth, Truth } from './truth';
import { type WireError, backendTimeout, banned, internalError, tooMuchWeight } from './wire-error';

interface ExchangeOptions {
  api: Api;
  router: Router;
  faults: Faults;
  truth: Truth;
  clock: VenueClock;
}

/** One request on its way: what it asked, what is to go wrong, where the answer goes. */
interface Passage {
  request: ApiRequest;
  plan: FaultPlan;
  entry: RequestTruth;
  message: IncomingMessage;
  response: ServerResponse;
}

export type Exchange = (request: ApiRequest, message: IncomingMessage, response: ServerResponse) => void;

/** Serves API requests: through their faults, to the router, and back. */
export function createExchange({ api, router, faults, truth, clock }: ExchangeOptions): Exchange {
  function act(run: () => Answer, { plan, entry }: Passage): Answer {
    const answer = run();
    if (answer.taken) {
      entry.orderId = answer.taken.orderId;
      if (plan.lookupLagMs > 0) api.visibility.hide(answer.taken.orderId, plan.lookupLagMs);
    }
    return answer;
  }

  function reply(answer: Answer, { plan, entry, response }: Passage): void {
    later(clock, plan.delayAfterMs, () => {
      entry.status = answer.status;
      sendJson(response, answer);
    });
  }

  /** The request was processed; its answer is spoilt. */
  function spoil(answer: Answer, passage: Passage): void {
    const fault = passage.plan.answer;
    if (fault?.kind === 'error_5xx_executed')
      return reply(errorAnswer(fault.body, backendTimeout(fault.status)), passage);
    later(clock, passage.plan.delayAfterMs, () => {
      if (fault?.kind === 'drop_after') return void passage.message.socket.destroy();
      passage.entry.status = answer.status;
      sendCut(passage.response, answer);
    });
  }

  /** Something else happens in place of processing the request now. */
  function interrupt(fault: NonNullable<FaultPlan['instead']>, passage: Passage): void {
    switch (fault.kind) {
      case 'drop_before':
        return void passage.message.socket.destroy();
      case 'black_hole':
        return;
      case 'error_5xx_not_executed':
        return reply(errorAnswer(fault.body, internalError(fault.status)), passage);
      case 'rate_limit':
        return reply(wireAnswer(tooMuchWeight(api.config.limits.weight_per_minute, fault.retryAfterSeconds)), passage);
      case 'ban': {
        const until = clock.now() + fault.retryAfterSeconds * 1000;
        return reply(wireAnswer(banned(until, fault.retryAfterSeconds)), passage);
      }
      case 'late_execution': {
        const { act: run, refused } = router.prepare(passage.request);
        // The gateway's refusals come at once; only what reaches the matching engine is late.
        if (refused) return reply(run(), passage);
        clock.after(fault.ms, () => void act(run, passage));
        if (fault.answer === 'error') reply(errorAnswer(fault.body, backendTimeout(fault.status)), passage);
      }
    }
  }

  function pass(passage: Passage): void {
    const { request, plan } = passage;
    if (plan.instead) return interrupt(plan.instead, passage);
    const answer = act(router.prepare(request).act, passage);
    if (plan.answer) spoil(answer, passage);
    else reply(answer, passage);
  }

  return (request, message, response) => {
    const facts = factsOf(request);
    const plan = faults.plan(facts);
    const entry = truth.request(facts, clock.now(), plan.kinds);
    const passage: Passage = { request, plan, entry, message, response };
    later(clock, plan.delayBeforeMs, () => pass(passage));
  };
}

function later(clock: VenueClock, ms: number, run: () => void): void {
  if (ms === 0) run();
  else clock.after(ms, run);
}

function factsOf({ method, path, query, body }: ApiRequest): RequestFacts {
  const fields = new URLSearchParams(query);
  const more = new URLSearchParams(body);
  const field = (name: string): string | undefined => fields.get(name) ?? more.get(name) ?? undefined;
  // A cancel's newClientOrderId names the cancel; the order is origClientOrderId.
  return {
    method,
    path,
    symbol: field('symbol'),
    clientOrderId: field(method === 'POST' ? 'newClientOrderId' : 'origClientOrderId'),
  };
}

function wireAnswer(error: WireError): Answer {
  return { status: error.status, body: error.body, headers: error.headers };
}

function errorAnswer(body: string | Record<string, unknown> | undefined, fallback: WireError): Answer {
  return { status: fallback.status, body: body ?? fallback.body, headers: {} };
}
