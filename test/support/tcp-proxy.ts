import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and a server on 127.0.0.1 and can take replies away, cut connections or refuse new ones. */
export interface TcpProxy {
  port: number;
  /** Of what the server says next only so many bytes get through, then the connection is cut. */
  cutReplyAfter(bytes: number): void;
  /** Nothing passes any more in either direction, and nobody is told. */
  blackHole(): void;
  /** As `blackHole`, but for the connections that are there: new ones work. */
  silence(): void;
  /** Cuts every connection and refuses new ones until `open`. */
  close(): void;
  /** Lets everything pass again; what was held by `blackHole` stays lost. */
  open(): void;
  /** New connections go to another server, those that are there stay: what an address does after a failover. */
  aim(port: number): void;
  /** As `aim`, and cuts every connection. */
  leadTo(port: number): void;
  /** Keeps what the server sends from here on, chunk by chunk, until it is let go. */
  holdReplies(): void;
  /** Chunks that are kept. */
  readonly held: number;
  /** Lets the oldest `chunks` of what is kept go on to the client (default: all, and no more is kept). */
  letGo(chunks?: number): void;
  /** Connections that were cut in a reply. */
  readonly cuts: number;
  stop(): Promise<void>;
}

interface Pair {
  client: Socket;
  upstream: Socket;
  isSilent: boolean;
  /** Bytes of replies that still get through. */
  left: number;
}

/**
 * @param lifetime for each connection: of the replies to its scripts so many bytes get through, then it is cut. What a
 * client asks while it connects is left alone.
 */
export async function startTcpProxy(
  targetPort: number,
  { lifetime }: { lifetime?: () => number } = {},
): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const kept: (() => void)[] = [];
  let holding = false;
  let mode: 'open' | 'black hole' | 'closed' = 'open';
  let target = targetPort;
  let cuts = 0;

  const server = createServer((client) => {
    if (mode === 'closed') return void client.destroy();
    const upstream = createConnection({ port: target, host: '127.0.0.1' });
    const pair: Pair = { client, upstream, isSilent: false, left: Infinity };
    let rest = lifetime?.();
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (chunk) => {
      if (mode !== 'open' || pair.isSilent) return;
      if (rest !== undefined && chunk.includes('eval')) {
        pair.left = rest;
        rest = undefined;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (mode !== 'open' || pair.isSilent) return;
      if (holding) return void kept.push(() => client.write(chunk));
      if (chunk.length <= pair.left) {
        pair.left -= chunk.length;
        client.write(chunk);
        return;
      }
      // The server has applied the command: only its answer is lost, or what comes after its beginning.
      cuts += 1;
      pair.isSilent = true;
      client.end(chunk.subarray(0, pair.left));
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const cutAll = (): void => {
    for (const { client, upstream } of [...pairs]) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    cutReplyAfter: (bytes) => {
      for (const pair of pairs) pair.left = bytes;
    },
    blackHole: () => void (mode = 'black hole'),
    silence: () => {
      for (const pair of pairs) pair.isSilent = true;
    },
    close: () => {
      mode = 'closed';
      cutAll();
    },
    open: () => {
      const wasHole = mode === 'black hole';
      mode = 'open';
      if (wasHole) cutAll();
    },
    aim: (port) => void (target = port),
    leadTo: (port) => {
      target = port;
      cutAll();
    },
    holdReplies: () => void (holding = true),
    get held() {
      return kept.length;
    },
    letGo: (chunks) => {
      holding = chunks !== undefined;
      for (const send of kept.splice(0, chunks ?? kept.length)) send();
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
