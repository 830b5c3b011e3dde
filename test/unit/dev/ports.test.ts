import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, rememberedPort } from '../../../src/dev/ports';

describe('ports of the embedded services', () => {
  let dataDir: string;
  const servers: Server[] = [];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'fillsafe-ports-'));
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function occupy(port: number): Promise<void> {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  }

  it('a free port can be bound', async () => {
    await occupy(await freePort());
  });

  it('a service gets the port it had, each service its own', async () => {
    const redis = await rememberedPort({ dataDir, name: 'redis' });
    const temporal = await rememberedPort({ dataDir, name: 'temporal' });
    expect(temporal).not.toBe(redis);
    expect(await rememberedPort({ dataDir, name: 'redis' })).toBe(redis);
    expect(await rememberedPort({ dataDir, name: 'temporal' })).toBe(temporal);
  });

  it('a port that was asked for is the one remembered', async () => {
    await rememberedPort({ dataDir, name: 'redis' });
    const port = await freePort();
    await rememberedPort({ dataDir, name: 'redis', port });
    expect(await rememberedPort({ dataDir, name: 'redis' })).toBe(port);
  });

  it('a remembered port that is taken by now is replaced', async () => {
    const port = await rememberedPort({ dataDir, name: 'redis' });
    await occupy(port);
    expect(await rememberedPort({ dataDir, name: 'redis' })).not.toBe(port);
  });

  it('a port that was asked for and is taken is refused by its number', async () => {
    const port = await freePort();
    await occupy(port);
    await expect(rememberedPort({ dataDir, name: 'redis', port })).rejects.toThrow(`redis: port ${port} is taken`);
  });

  it('a damaged list of ports does not stop a start', async () => {
    writeFileSync(join(dataDir, 'ports.json'), '{"redis":');
    expect(await rememberedPort({ dataDir, name: 'redis' })).toBeGreaterThan(0);
  });
});
