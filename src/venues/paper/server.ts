import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdmin, isAdminPath } from './admin-routes';
import type { Api } from './api';
import { skewedClock, systemClock, type VenueClock } from './clock';
import { loadPaperConfig, type PaperVenueConfig } from './config';
import { Engine } from './engine';
import { createExchange } from './exchange';
import { parseFaults, type FaultInput } from './fault-schema';
import { Faults } from './faults';
import { readBody, sendJson } from './http';
import { openJournal } from './journal';
import { Limits } from './limits';
import { createRouter } from './routes';
import { Truth } from './truth';
import { Visibility } from './visibility';

/** Longer than a client's pool keeps an idle socket, so that no request meets a socket that is just closing. */
const KEEP_ALIVE_MS = 75_000;

export interface PaperVenueOptions {
  /** Default: `config/paper-venue.yaml`. */
  config?: PaperVenueConfig;
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Keeps `venue.jsonl` here and starts from it. Without it the venue forgets everything when it ends. */
  dataDir?: string;
  /** In force from the start, as `/admin/faults` takes them. */
  faults?: readonly FaultInput[];
  /** Default: the system's. */
  clock?: VenueClock;
}

export interface PaperVenue {
  url: string;
  port: number;
  /** Cuts all connections and forgets late executions that have not happened, as a crash would. */
  close(): Promise<void>;
}

/**
 * Starts a venue that speaks the REST wire format of Binance spot, on orders, balances and prices of its own.
 * Throws when the configuration, a fault or the journal is not valid, or the port is taken.
 */
export async function startPaperVenue({
  config = loadPaperConfig(),
  port = 0,
  host = '127.0.0.1',
  dataDir,
  faults: startingFaults = [],
  clock: baseClock = systemClock,
}: PaperVenueOptions = {}): Promise<PaperVenue> {
  const timers = new Set<() => void>();
  const clock = skewedClock(cancellable(baseClock, timers));
  const faults = new Faults(config.seed, clock);
  faults.add(parseFaults(startingFaults));
  const journal = dataDir === undefined ? undefined : openJournal(dataDir);
  const engine = new Engine({
    config,
    clock,
    ...(journal && { history: journal.history, record: (event) => journal.append(event) }),
  });
  const api: Api = {
    config,
    engine,
    clock,
    limits: new Limits(config.limits, clock),
    visibility: new Visibility(clock),
  };
  const truth = new Truth(engine.book);
  const exchange = createExchange({ api, router: createRouter(api), faults, truth, clock });
  const admin = createAdmin({ faults, truth, clock });

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (message, response) => {
    readBody(message, (body) => {
      if (body === undefined) return void message.socket.destroy();
      const [path = '/', query = ''] = splitOnce(message.url ?? '/', '?');
      const request = { method: message.method ?? 'GET', path, query, body };
      if (isAdminPath(path)) return sendJson(response, admin(request));
      exchange({ ...request, apiKey: header(message.headers['x-mbx-apikey']) }, message, response);
    });
  });
  await listen(server, port, host);
  clock.every(config.walk.tick_ms, () => engine.tick());

  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        for (const cancel of timers) cancel();
        server.close(() => {
          journal?.close();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A clock whose timers all end with the venue: nothing may be executed once the journal is closed. */
function cancellable(base: VenueClock, timers: Set<() => void>): VenueClock {
  return {
    now: () => base.now(),
    every: (ms, run) => {
      const cancel = base.every(ms, run);
      timers.add(cancel);
      return cancel;
    },
    after: (ms, run) => {
      const cancel = base.after(ms, () => {
        timers.delete(cancel);
        run();
      });
      timers.add(cancel);
      return cancel;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
