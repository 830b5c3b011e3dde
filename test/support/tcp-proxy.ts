import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and a server on 127.0.0.1 and can take replies away, cut connections or refuse new ones. */
export interface TcpProxy {
  port: number;
  /** The next `replies` chunks that the server sends are thrown away, and the connection is cut with the last of them. */
  loseReplies(replies: number): void;
  /** Nothing passes any more in either direction, and nobody is told. */
  blackHole(): void;
  /** Cuts every connection and refuses new ones until `open`. */
  close(): void;
  /** Lets everything pass again; what was held by `blackHole` stays lost. */
  open(): void;
  /** Connections that were cut because a reply was taken away. */
  readonly cuts: number;
  stop(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let mode: 'open' | 'black hole' | 'closed' = 'open';
  let toLose = 0;
  let cuts = 0;

  const server = createServer((client) => {
    if (mode === 'closed') return client.destroy();
    const upstream = createConnection({ port: targetPort, host: '127.0.0.1' });
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    const cut = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('error', cut).on('close', cut);
    client.on('data', (chunk) => mode === 'open' && upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (mode !== 'open') return;
      if (toLose === 0) return void client.write(chunk);
      // The server has applied the command: only its answer is lost.
      toLose -= 1;
      if (toLose > 0) return;
      cuts += 1;
      cut();
    });
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const cutAll = (): void => {
    for (const [client, upstream] of [...pairs]) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    loseReplies: (replies) => void (toLose = replies),
    blackHole: () => void (mode = 'black hole'),
    close: () => {
      mode = 'closed';
      cutAll();
    },
    open: () => {
      const wasHole = mode === 'black hole';
      mode = 'open';
      if (wasHole) cutAll();
    },
    get cuts() {
      return cuts;
    },
    stop: async () => {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
