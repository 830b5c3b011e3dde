import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Why the worker is not ready; empty when it is. */
export type Readiness = () => Promise<string[]>;

/** Serves `/metrics`, `/healthz` (the event loop turns) and `/readyz` (503 with the reasons unless all is well). */
export async function serveHealth(options: {
  host: string;
  port: number;
  registry: Registry;
  /** Called before the metrics are told. */
  refresh: () => Promise<void>;
  readiness: Readiness;
}): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, options).catch((error: unknown) => {
      send(response, 500, `${String(error)}\n`);
    });
  });
  await listen(server, options.port, options.host);
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  url: string,
  response: ServerResponse,
  { registry, refresh, readiness }: { registry: Registry; refresh: () => Promise<void>; readiness: Readiness },
): Promise<void> {
  switch (url.split('?')[0]) {
    case '/metrics':
      await refresh();
      return send(response, 200, await registry.metrics(), registry.contentType);
    case '/healthz':
      return send(response, 200, 'ok\n');
    case '/readyz': {
      const problems = await readiness();
      return send(
        response,
        problems.length === 0 ? 200 : 503,
        `${problems.length === 0 ? 'ready' : problems.join('\n')}\n`,
      );
    }
    default:
      return send(response, 404, 'there is /metrics, /healthz and /readyz\n');
  }
}

function send(response: ServerResponse, status: number, body: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType }).end(body);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken; choose another or 0 for any' : error.message;
      reject(new Error(`metrics.port: cannot serve metrics on ${host}:${port}: ${why}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}
