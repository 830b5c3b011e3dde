import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Redis } from 'ioredis';
import { openGuard } from '../../src/client/open-guard';
import { loadConfig } from '../../src/config/load';
import { waitUntil } from '../../src/dev/wait-until';
import { Guard } from '../../src/guard/guard';
import { connectRedis, type RedisSettings } from '../../src/redis/client';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { PASSWORD, redisSettings, startTestRedis, USER, type TestRedis } from '../support/redis';
import { makeCertificates, startTlsFront, type Certificates, type TlsFront } from '../support/tls';

const SERVER_NAME = 'redis.internal';

describe('the guard on a Redis that asks who is there', () => {
  let server: TestRedis;
  let certificates: Certificates;
  let front: TlsFront;
  let known: RedisSettings;

  beforeAll(async () => {
    server = await startTestRedis();
    certificates = makeCertificates({ serverName: SERVER_NAME });
    front = await startTlsFront(server.port, certificates);
    known = redisSettings({
      url: `rediss://127.0.0.1:${front.port}`,
      username: USER,
      password: PASSWORD,
      tls: {
        ca_file: certificates.ca,
        cert_file: certificates.client.cert,
        key_file: certificates.client.key,
        server_name: SERVER_NAME,
      },
    });
  });
  afterAll(async () => {
    await front?.stop();
    await server?.stop();
    certificates?.remove();
  });

  /** The message of a connection that must not come about. */
  async function refusal(settings: RedisSettings): Promise<string> {
    const error: unknown = await connectRedis(settings, { connectTimeoutMs: 2_000 }).then(
      (redis) => redis.disconnect(),
      (reason: unknown) => reason,
    );
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hush');
    return (error as Error).message;
  }

  it('comes in by the settings of the environment, with TLS, its certificate, user and password', async () => {
    const secret = join(certificates.folder, 'password');
    writeFileSync(secret, `${PASSWORD}\n`);
    const config = loadConfig({
      env: {
        REDIS_URL: `rediss://127.0.0.1:${front.port}`,
        FILLSAFE_REDIS__USERNAME: USER,
        FILLSAFE_REDIS__PASSWORD_FILE: secret,
        FILLSAFE_REDIS__TLS__CA_FILE: certificates.ca,
        FILLSAFE_REDIS__TLS__CERT_FILE: certificates.client.cert,
        FILLSAFE_REDIS__TLS__KEY_FILE: certificates.client.key,
        FILLSAFE_REDIS__TLS__SERVER_NAME: SERVER_NAME,
      },
    });
    const { guard, redis, close } = await openGuard(config);
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    const back = new Promise<void>((resolve) => (redis as Redis).once('ready', resolve));
    front.cut();
    await back;
    expect(await guard.settle(placing('a'), settleRequest({ fence }))).toMatchObject({ kind: 'OK' });
    expect(await (redis as Redis).call('PING')).toBe('PONG');
    close();
  });

  it('takes the password from the address too, and that of the settings first', async () => {
    const withPassword = { ...known, url: `rediss://${USER}:hush@127.0.0.1:${front.port}` };
    (await connectRedis(withPassword)).disconnect();
    const message = await refusal({ ...withPassword, username: null, password: null });
    expect(message).toContain('WRONGPASS');
    expect(message).toContain(`rediss://${USER}@127.0.0.1:${front.port}: `);
  });

  it.each([
    ['an authority that it does not trust', { ca_file: null }, /certificate/],
    ['a certificate for another name', { server_name: null }, /altnames|does not match/],
    ['no certificate of its own where one is asked for', { cert_file: null, key_file: null }, /certificate required/],
    [
      'a file that is not there',
      { ca_file: 'no-such.pem' },
      /^redis.tls.ca_file: no-such.pem cannot be read \(ENOENT\)/,
    ],
  ])('is refused with %s, and says so', async (_what, over, message) => {
    expect(await refusal({ ...known, tls: { ...known.tls, ...over } })).toMatch(message);
  });

  it('shows a wrong password nowhere', async () => {
    expect(await refusal({ ...known, password: 'hush' })).toContain('WRONGPASS');
  });

  it('shows the password nowhere when Redis takes it back later', async () => {
    await server.admin.call('ACL', 'SETUSER', 'passing', 'on', '>hush', '~*', '+@all');
    const redis = (await connectRedis({ ...known, username: 'passing', password: 'hush' })) as Redis;
    const seen: Error[] = [];
    redis.on('error', (error) => seen.push(error));
    const isRefused = () => Promise.resolve(seen.some(({ message }) => message.includes('WRONGPASS')));
    try {
      const guard = new Guard(redis, { namespace: 'idempotency', ttlMs: 100_000 });
      await server.admin.call('ACL', 'SETUSER', 'passing', 'resetpass', '>other');
      front.cut();
      expect(await waitUntil(isRefused, { timeoutMs: 10_000 })).toBe(true);
      const failed: unknown = await guard.now().catch((error: unknown) => error);
      expect(failed).toMatchObject({ name: 'StoreUnavailableError' });
      expect(inspect([failed, seen], { depth: 10, showHidden: true })).not.toContain('hush');
    } finally {
      redis.disconnect();
    }
  });
});
