import pino from 'pino';
import { NO_OVERRIDE, type Override } from '../../src/breaker/override';
import { parseScope } from '../../src/breaker/scope';
import { readBreakers } from '../../src/cli/read-breakers';
import { loadConfig } from '../../src/config/load';
import { Guard } from '../../src/guard/guard';
import { openServices } from '../../src/worker/services';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { redisSettings, startTestRedis, type TestRedis } from '../support/redis';

describe('what breaker list says of a scope', () => {
  let server: TestRedis;
  let guard: Guard;
  let config: ReturnType<typeof loadConfig>;

  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    const namespace = server.namespace();
    guard = new Guard(await server.connect(), { namespace, ttlMs: 100_000 });
    const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
    const flags = { venues: { paper: venue }, redis: { url: server.url }, temporal: { address: '127.0.0.1:1' } };
    config = loadConfig({ env: {}, flags: { ...flags, retry: { redis: { namespace } } } });
  });

  const SCOPES = ['paper', 'paper/order.place', 'paper/order.cancel', 'paper/look-up'];
  const ordered = (level: string, over: Partial<Override>): Promise<unknown> =>
    guard.breakers.order('paper', level, { ...NO_OVERRIDE, number: 1, forMs: 60_000, rows: [], ...over });
  /** The venue tells an act not to come back for a minute. */
  const banned = async (): Promise<void> => {
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    const fence = fenceOf(await guard.admit(placing('a'), admitRequest()));
    const { breaker } = settleRequest();
    const hold = { concerns: 'venue', level: 'venue', ms: 60_000, why: 'BANNED: too many' } as const;
    const ended = { fence, ending: 'release', breaker: { ...breaker!, health: 'none', hold } } as const;
    await guard.settle(placing('a'), settleRequest(ended));
  };
  const listed = async () => {
    const lines = await readBreakers(config, SCOPES.map(parseScope));
    return Object.fromEntries(lines.map((line) => [line.scope, line]));
  };

  it.each(['venue', 'all'])('under a kill of %s holds what adds risk, no cancel and no look-up', async (level) => {
    await ordered(level, { kill: true, killedBy: 'ann', killReason: 'flood' });
    const lines = await listed();
    expect(lines['paper/order.place']?.heldBy).toBe(level === 'all' ? 'all' : 'paper');
    for (const scope of ['paper/order.cancel', 'paper/look-up']) expect(lines[scope]?.heldBy).toBeNull();
  });

  it('that its venue told to hold is held, cancels and look-ups too', async () => {
    await banned();
    const lines = await listed();
    expect(lines['paper']).toMatchObject({ standing: 'HELD', since: null, why: 'BANNED: too many' });
    for (const scope of SCOPES.slice(1)) expect(lines[scope]?.heldBy).toBe('paper');
  });

  it('that is killed or forced is since when that was ordered', async () => {
    const [killedAt, forcedAt] = [1_767_603_600_000, 1_767_603_605_000];
    await ordered('venue', { kill: true, killedBy: 'ann', killReason: 'flood', killedAt });
    await ordered('look-up', { force: 'open', actor: 'bob', reason: 'maintenance', forcedAt });
    expect(await listed()).toMatchObject({
      paper: { standing: 'KILLED', since: '2026-01-05T09:00:00.000Z' },
      'paper/look-up': { standing: 'FORCED_OPEN', since: '2026-01-05T09:00:05.000Z' },
      'paper/order.place': { standing: 'CLOSED', since: null },
    });
  });

  it('is what pages somebody: kills, forces and what the venue holds have a metric', async () => {
    const redis = redisSettings({ url: server.url });
    const services = await openServices({ ...config, redis }, pino({ enabled: false }));
    const held = async (): Promise<string[]> => {
      await services.refreshMetrics();
      const lines = (await services.metrics.registry.metrics()).split('\n');
      return lines.filter((line) => line.startsWith('fillsafe_circuit_breaker_held') && line.endsWith(' 1'));
    };
    try {
      expect(await held()).toEqual([]);
      await banned();
      await ordered('look-up', { force: 'closed', actor: 'ann', reason: 'a drill' });
      expect(await held()).toEqual([
        'fillsafe_circuit_breaker_held{venue="paper",job_type="venue",by="venue"} 1',
        'fillsafe_circuit_breaker_held{venue="paper",job_type="look-up",by="closed"} 1',
      ]);
      await ordered('look-up', { number: 2 });
      await ordered('all', { kill: true, killedBy: 'ann', killReason: 'flood' });
      await ordered('order.place', { force: 'open', actor: 'ann', reason: 'a drill' });
      expect(await held()).toEqual([
        'fillsafe_circuit_breaker_held{venue="paper",job_type="venue",by="kill"} 1',
        'fillsafe_circuit_breaker_held{venue="paper",job_type="order.place",by="open"} 1',
      ]);
    } finally {
      await services.close();
    }
  });
});
