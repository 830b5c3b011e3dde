import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** PEM files of an authority that nobody trusts, and of a server and a client that it vouches for. */
export interface Certificates {
  folder: string;
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
  remove(): void;
}

export function makeCertificates({ serverName }: { serverName: string }): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'fillsafe-tls-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', '2');
  const signed = (name: string, subject: string): { cert: string; key: string } => {
    writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${subject}\n`);
    openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...by);
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) };
  };
  return {
    folder,
    ca: at('ca.pem'),
    server: signed('server', serverName),
    client: signed('client', 'a worker'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface TlsFront {
  port: number;
  /** Cuts every connection. */
  cut(): void;
  stop(): Promise<void>;
}

/**
 * Speaks TLS before a server on 127.0.0.1 that does not, and lets in only who has a certificate of the authority: the
 * redis-server that is fetched for tests is built without TLS.
 */
export async function startTlsFront(targetPort: number, { ca, server: own }: Certificates): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      ca: readFileSync(ca),
      cert: readFileSync(own.cert),
      key: readFileSync(own.key),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (client) => {
      const upstream = createConnection({ port: targetPort, host: '127.0.0.1' });
      const end = (): void => {
        client.destroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', end).on('close', end);
      }
      client.pipe(upstream).pipe(client);
    },
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    stop: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
