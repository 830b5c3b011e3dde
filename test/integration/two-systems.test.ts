import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientOrderIdOf } from '../../src/domain/client-order-id';
import type { PlaceOrderInput } from '../../src/domain/order';
import { createVenues } from '../../src/venues/create-venues';
import { startTestRedis, type TestRedis } from '../support/redis';
import { runCli } from '../support/run-cli';
import { testStack, type TestStack } from '../support/stack';

const ACL = join(__dirname, '..', '..', 'deploy', 'redis', 'users.acl');

// Each command of the command line is a process of its own.
jest.setTimeout(120_000);

describe('two systems in one Redis, each with a namespace and a user of its own', () => {
  let server: TestRedis;
  let first: TestStack;
  let second: TestStack;

  beforeAll(async () => {
    server = await startTestRedis({ durable: true });
    // As deploy/redis/README.md says: the same line with another name, password and pattern.
    const [, , ...rules] = readFileSync(ACL, 'utf8').trim().split(' ');
    const theirs = rules.map((rule) => rule.replace('~idempotency:', '~second:'));
    await server.admin.call('ACL', 'SETUSER', 'second', ...theirs, '>second-password');
    const configFile = 'test/support/config/quick.yaml';
    [first, second] = await Promise.all([
      testStack({ configFile, settings: { REDIS_URL: server.url } }),
      testStack({
        configFile,
        settings: {
          REDIS_URL: server.url,
          FILLSAFE_REDIS__USERNAME: 'second',
          FILLSAFE_REDIS__PASSWORD: 'second-password',
          FILLSAFE_RETRY__REDIS__NAMESPACE: 'second',
        },
      }),
    ]);
  }, 240_000);
  afterAll(async () => {
    await Promise.all([first?.end(), second?.end()]);
    await server?.stop();
  });

  const order = (intentId: string) => ({
    ...{ intentId, venue: 'paper', symbol: 'XRPETH', side: 'BUY', type: 'LIMIT', quantity: '30', price: '0.0004' },
  });
  const outcome = async ({ client }: TestStack, intentId: string) =>
    (await client.submit('order.place', order(intentId))).outcome();
  const unknown = async ({ stack }: TestStack): Promise<string[]> => {
    const end = await runCli(['guard', 'unknown', '--json', '--config', stack.info.config]);
    return end.json<{ intentId: string }>().map(({ intentId }) => intentId);
  };

  it('both act on the same intent', async () => {
    for (const system of [first, second]) {
      expect(await outcome(system, 'same')).toMatchObject({ status: 'done', result: { replayed: false } });
      expect((await system.truth()).totals).toMatchObject({ orders: 1, duplicates: 0 });
    }
    const namespaces = (await server.admin.keys('*:order.place:same')).map((key) => key.split(':')[0]);
    expect(namespaces.sort()).toEqual(['idempotency', 'second']);
  });

  it('a doubt of one is no doubt of the other', async () => {
    // The venue of the second holds another order under the id that ours would have: only a person can tell.
    const clientOrderId = clientOrderIdOf({ namespace: 'second', venue: 'paper', intentId: 'open' });
    const venue = createVenues(second.config).get('paper')!;
    await venue.syncClock();
    await venue.placeOrder({ ...order('open'), quantity: '40' } as PlaceOrderInput, clientOrderId, () => undefined);
    await second.client.submit('order.place', order('open'));
    while ((await unknown(second)).length === 0);
    expect(await unknown(second)).toEqual(['open']);
    expect(await unknown(first)).toEqual([]);
    expect(await outcome(first, 'open')).toMatchObject({ status: 'done' });
    expect(await unknown(second)).toEqual(['open']);
  });

  it('neither can read what the other holds', async () => {
    const redis = await server.connect();
    await expect(redis.get('second:{paper}:order.place:same')).rejects.toThrow('NOPERM');
    expect(await redis.get('idempotency:{paper}:order.place:same')).toContain('DONE');
  });
});
