import type { SkewedClock } from './clock';
import { parseFaults } from './fault-schema';
import type { Faults } from './faults';
import type { Truth } from './truth';

interface AdminAnswer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

interface AdminRequest {
  method: string;
  path: string;
  query: string;
  body: string;
}

/** Whether the path belongs to the people who run the venue, not to its API. */
export function isAdminPath(path: string): boolean {
  return path === '/healthz' || path === '/truth' || path.startsWith('/truth/') || path.startsWith('/admin/');
}

/**
 * Unsigned endpoints beside the API; faults never reach them. `/truth`, `/truth/<clientOrderId>`, `/admin/faults`,
 * `/admin/clock` (`{"offsetMs": 5000}` moves the venue's clock) and `/healthz`.
 */
export function createAdmin({ faults, truth, clock }: { faults: Faults; truth: Truth; clock: SkewedClock }) {
  return function admin({ method, path, query, body }: AdminRequest): AdminAnswer {
    try {
      const id = new URLSearchParams(query).get('id');
      switch (`${method} ${path}`) {
        case 'GET /healthz':
          return answer(200, { ok: true });
        case 'GET /truth':
          return answer(200, truth.report({ totalsOnly: new URLSearchParams(query).has('totals') }));
        case 'GET /admin/faults':
          return answer(200, { faults: faults.list() });
        case 'POST /admin/faults':
          return answer(201, { ids: faults.add(parseFaults(JSON.parse(body))) });
        case 'DELETE /admin/faults':
          return answer(200, { removed: faults.remove(id === null ? undefined : Number(id)) });
        case 'GET /admin/clock':
          return answer(200, { offsetMs: clock.offsetMs, now: clock.now() });
        case 'POST /admin/clock':
          clock.offsetMs = readOffset(body);
          return answer(200, { offsetMs: clock.offsetMs, now: clock.now() });
      }
      const named = /^\/truth\/(.+)$/.exec(path)?.[1];
      if (method === 'GET' && named !== undefined) return answer(200, truth.reportOn(decodeURIComponent(named)));
      return answer(404, { error: `there is no ${method} ${path} here` });
    } catch (error) {
      return answer(400, { error: error instanceof Error ? error.message : String(error) });
    }
  };
}

function answer(status: number, body: unknown): AdminAnswer {
  return { status, body, headers: {} };
}

function readOffset(body: string): number {
  const { offsetMs } = JSON.parse(body) as { offsetMs?: unknown };
  if (Number.isSafeInteger(offsetMs)) return offsetMs as number;
  throw new Error('offsetMs must be a whole number of milliseconds, such as {"offsetMs": 5000}');
}
