import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const handedOut = new Set<number>();

/**
 * A TCP port on 127.0.0.1 that nothing listens on right now, and that this process was not given before.
 * Another process may take it before the caller binds it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    return port;
  }
}

/**
 * The port a service uses in a data directory: `port` if given, else the one it had there last time, else a free one.
 * It is written to `<dataDir>/ports.json`, so that clients that were told the old address find the service again.
 * @throws Error when `port` is given and something listens on it.
 */
export async function rememberedPort(options: { dataDir: string; name: string; port?: number }): Promise<number> {
  const { dataDir, name } = options;
  const last = readPorts(dataDir)[name];
  const again = last !== undefined && (await isFree(last)) ? last : undefined;
  const port = options.port ?? again ?? (await freePort());
  if (options.port !== undefined && !(await isFree(port))) {
    throw new Error(`${name}: port ${port} is taken on 127.0.0.1; stop what listens there or choose another port`);
  }
  // Read again: the other services of the stack write the same file while this one waited.
  const ports = { ...readPorts(dataDir), [name]: port };
  const file = join(dataDir, 'ports.json');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(ports, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
  return port;
}

function readPorts(dataDir: string): Record<string, number> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(dataDir, 'ports.json'), 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, port]) => Number.isInteger(port)));
  } catch {
    // Missing or damaged: new ports are as good as a refusal to start.
    return {};
  }
}

async function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}

const PORT_TRIES = 5;

/**
 * Starts something that binds ports, again when another process was faster at one of them: between the choice of a free port
 * and its binding anything may take it, also ports that the program chooses for itself.
 */
export async function retryTakenPort<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (error) {
      const taken = error instanceof Error && /address already in use|EADDRINUSE|port is taken/i.test(error.message);
      if (!taken || tries === PORT_TRIES) throw error;
    }
  }
}
