import { subscribe } from 'node:diagnostics_channel';

/** Watches one request until `stop()`. */
export interface SendTracker {
  /** Whether it is certain that no byte of the request left. Doubt counts as sent. */
  neverLeft(): boolean;
  stop(): void;
}

interface Watched {
  method: string;
  path: string;
  created: boolean;
  sent: boolean;
}

interface UndiciRequestMessage {
  request?: { method?: string; path?: string };
}

const watched = new Set<Watched>();
let sawHttp2 = false;
let isSubscribed = false;

/**
 * Tells whether a request of global `fetch` left this process: fetch's own errors look the same before and after the send.
 * Call it right before `fetch`, with the method and the exact path and query.
 *
 * The HTTP client publishes `request:create` when it takes a request in and `client:sendHeaders` when it begins to write.
 * Only a request that was seen being created and not seen being written has certainly not left: so where the events do not
 * come (another fetch, a queue in front of the client, HTTP/2), a failure counts as sent. Events are matched by method and
 * path, which a signed request has for itself; of two equal ones, the first to be written marks both, again the safe side.
 */
export function trackSend(method: string, path: string): SendTracker {
  subscribeOnce();
  const entry: Watched = { method, path, created: false, sent: false };
  watched.add(entry);
  return {
    neverLeft: () => entry.created && !entry.sent && !sawHttp2,
    stop: () => void watched.delete(entry),
  };
}

function subscribeOnce(): void {
  if (isSubscribed) return;
  isSubscribed = true;
  subscribe('undici:request:create', (message) => mark(message as UndiciRequestMessage, 'created'));
  subscribe('undici:client:sendHeaders', (message) => mark(message as UndiciRequestMessage, 'sent'));
  subscribe('undici:client:connected', (message) => {
    // Requests on an HTTP/2 session are written without a sendHeaders event.
    const { socket } = message as { socket?: { alpnProtocol?: unknown } };
    if (socket?.alpnProtocol === 'h2') sawHttp2 = true;
  });
}

function mark({ request }: UndiciRequestMessage, what: 'created' | 'sent'): void {
  for (const entry of watched) {
    // A forwarding proxy's request carries the whole URL as its path, hence the comparison of the end.
    if (request?.method === entry.method && request.path?.endsWith(entry.path) === true) entry[what] = true;
  }
}
