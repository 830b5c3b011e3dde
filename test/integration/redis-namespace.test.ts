import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGuard } from '../../src/client/open-guard';
import { createVenues } from '../../src/venues/create-venues';
import { startTestRedis, type TestRedis } from '../support/redis';
import { keysOutside, watchCommands, type SeenCommand } from '../support/redis-monitor';
import { runCli, type CliEnd } from '../support/run-cli';
import { tradingDesk } from '../support/trading-desk';

/** They name no key. */
const KEYLESS = ['acl', 'auth', 'info', 'ping', 'time'];
/** Only a cluster needs these; the last is one that MONITOR does not show. */
const NOT_SEEN = ['asking', 'cluster|info', 'cluster|slots', 'config|get'];

// Each command of the command line is a process of its own.
jest.setTimeout(120_000);

describe('a trading day on a Redis that lets fillsafe do no more than deploy/redis/users.acl', () => {
  let server: TestRedis;
  let stop: () => Promise<SeenCommand[]>;
  let seen: SeenCommand[] = [];
  const desk = tradingDesk({
    prepare: async () => {
      server = await startTestRedis({ durable: true });
      stop = await watchCommands(server.admin);
      return { REDIS_URL: server.url };
    },
  });
  afterAll(() => server?.stop());

  const { anOrder, clientOrderId, faultOn, outcomeOf, startRaw, untilParked } = desk;
  const fillsafe = (...args: string[]): Promise<CliEnd> =>
    runCli([...args, '--json', '--config', desk.stack.stack.info.config]);
  const cancelOf = (orderIntentId: string) =>
    desk.stack.client.submit('order.cancel', {
      ...{ intentId: `c-${orderIntentId}`, venue: 'paper', symbol: 'XRPETH', orderIntentId },
    });

  it('places, repeats, refuses, loses answers, cancels and asks people as on any other', async () => {
    const order = anOrder({ price: '0.0004' });
    expect(await outcomeOf(order)).toMatchObject({ status: 'done' });
    expect(await startRaw(`again:${order.intentId}`, order)).toMatchObject({ result: { replayed: true } });
    expect(await (await cancelOf(order.intentId)).outcome()).toMatchObject({ status: 'done' });
    expect(await outcomeOf(anOrder({ quantity: '0.00001' }))).toMatchObject({ status: 'refused' });
    const found = anOrder();
    await faultOn(found, { kind: 'drop_after' });
    const absent = anOrder();
    await faultOn(absent, { kind: 'drop_before' });
    expect(await outcomeOf(found)).toMatchObject({ status: 'done', result: { attempts: 1 } });
    expect(await outcomeOf(absent)).toMatchObject({ status: 'done', result: { attempts: 2 } });
    const { guard, close } = await openGuard(desk.stack.config);
    await guard.sweep('paper', 0);
    close();
  });

  it('lets people see and decide', async () => {
    const order = anOrder({ price: '0.0004', quantity: '30' });
    const venue = createVenues(desk.stack.config).get('paper')!;
    await venue.syncClock();
    const theirs = await venue.placeOrder({ ...order, quantity: '40' }, clientOrderId(order), () => undefined);
    await desk.stack.client.submit('order.place', order);
    await untilParked(order);
    expect((await fillsafe('guard', 'unknown')).json()).toMatchObject([{ intentId: order.intentId }]);
    expect(await fillsafe('guard', 'show', order.intentId)).toMatchObject({ code: 0 });
    const decision = ['--decision', 'done', '--order-id', theirs.orderId, '--reason', 'it is ours', '--actor', 'ada'];
    expect(await fillsafe('guard', 'resolve', order.intentId, ...decision)).toMatchObject({ code: 0 });
    expect(await outcomeOf(order)).toMatchObject({ status: 'done' });

    expect(await fillsafe('breaker', 'history', 'paper', '--verify')).toMatchObject({ code: 0 });
    const [status] = (await fillsafe('status')).json<{ services: object }>();
    expect(status?.services).toMatchObject({ redis: 'ok' });
    const [{ findings } = { findings: [] }] = (await fillsafe('doctor')).json<{
      findings: { what: string; state: string }[];
    }>();
    expect(findings).toContainEqual(expect.objectContaining({ what: 'Redis', state: 'ok' }));
    const { metrics } = desk.stack.stack.info;
    expect((await fetch(`${metrics}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${metrics}/metrics`)).text()).toMatch(/^fillsafe_redis_up 1$/m);
  });

  it('gave no command that names a key outside of idempotency:{', async () => {
    seen = await stop();
    expect(keysOutside('idempotency', seen)).toEqual([]);
    expect(seen.filter(({ name, keys }) => keys.length === 0 && !KEYLESS.includes(name))).toEqual([]);
    expect(seen.filter(({ name }) => name === 'evalsha').length).toBeGreaterThan(20);
  });

  it('tried nothing that it may not, and was allowed nothing that it did not need', async () => {
    expect(await server.admin.call('ACL', 'LOG')).toEqual([]);
    const acl = readFileSync(join(__dirname, '..', '..', 'deploy', 'redis', 'users.acl'), 'utf8');
    const granted = [...acl.matchAll(/\+(\S+)/g)].map(([, name]) => name);
    const used = new Set(seen.map(({ name }) => name));
    expect(granted.filter((name) => !used.has(name!.split('|')[0]!)).sort()).toEqual(NOT_SEEN);
  });
});
