import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A request that the server read to its end. */
export interface SeenRequest {
  method: string;
  path: string;
  /** The query string as it came over the wire. */
  rawQuery: string;
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
}

export interface Answer {
  status?: number;
  body?: unknown;
  /** Sent as it is, in place of `body` as JSON. */
  text?: string;
  headers?: Record<string, string>;
}

/** What the server does with a request that it has read: answer, say nothing, or break the connection. */
export type Behaviour = Answer | 'hang' | 'reset' | 'close' | { cutAfter: number; status: number; text: string };

export interface LyingServer {
  baseUrl: string;
  requests: SeenRequest[];
  close(): Promise<void>;
}

/** An HTTP server on a random port of 127.0.0.1 that answers, stays silent or breaks off as `behave` says. */
export async function startLyingServer(behave: (request: SeenRequest) => Behaviour): Promise<LyingServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const [path = '', rawQuery = ''] = (request.url ?? '').split('?');
      const seen = {
        method: request.method ?? '',
        path,
        rawQuery,
        query: new URLSearchParams(rawQuery),
        headers: request.headers,
      };
      requests.push(seen);
      reply(response, behave(seen));
    });
  });
  const { port, close } = await listen(server);
  return { baseUrl: `http://127.0.0.1:${port}`, requests, close };
}

function reply(response: ServerResponse, behaviour: Behaviour): void {
  const { socket } = response;
  if (behaviour === 'hang') return;
  if (behaviour === 'reset') return void socket?.resetAndDestroy();
  if (behaviour === 'close') return void socket?.end();
  if ('cutAfter' in behaviour) {
    const { cutAfter, status, text } = behaviour;
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.write(text.slice(0, cutAfter), () => socket?.end());
    return;
  }
  const { status = 200, body, text = body === undefined ? '' : JSON.stringify(body), headers = {} } = behaviour;
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

/** A TCP server that hands each connection to `onSocket` and reads nothing by itself. */
export async function startRawServer(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  return listen(createTcpServer(onSocket));
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const { port, close } = await listen(createTcpServer());
  await close();
  return port;
}

async function listen(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, close };
}
