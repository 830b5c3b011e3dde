import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { Guard } from '../../src/guard/guard';
import { isStoreUnavailable } from '../../src/redis/client';
import { createRandom } from '../../src/venues/paper/random';
import { admitRequest, fenceOf, placing, settleRequest } from '../support/guard-requests';
import { startTestRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

// The same cuts each time; SEED=… tries others.
const SEED = Number(process.env['SEED'] ?? 20181);
const INTENTS = 300;
const CONNECTIONS = 3;
/** Callers on each connection that act at the same time. */
const LANES = 4;
/** Bytes of replies that a connection lives for: a few answers, and mostly a part of one. */
const LIFETIME = { from: 1, to: 600 };
const QUIESCE_MS = 5;

describe(`${INTENTS} acts of two callers each, on connections that are cut in the middle of replies (seed ${SEED})`, () => {
  let server: TestRedis;
  let direct: Guard;
  const proxies: TcpProxy[] = [];
  const connections: { redis: Redis; guard: Guard }[] = [];
  /** What the venue has of each intent. */
  const acts = new Map<string, number>();
  const goes = new Map<string, number>();
  const answers = new Map<string, number>();
  const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

  beforeAll(async () => {
    server = await startTestRedis();
    const options = { namespace: server.namespace(), ttlMs: 100_000 };
    direct = new Guard(await server.connect(), options);
    await direct.store.open('paper', { quiesceMs: QUIESCE_MS, neverUsed: true });
    for (let i = 0; i < CONNECTIONS; i += 1) {
      const random = createRandom(SEED, `connection ${i}`);
      const proxy = await startTcpProxy(server.port, { lifetime: () => random.integer(LIFETIME.from, LIFETIME.to) });
      proxies.push(proxy);
      const redis = await server.connect({ port: proxy.port });
      connections.push({ redis, guard: new Guard(redis, options) });
    }
    const intents = Array.from({ length: INTENTS }, (_, i) => `i${i}`);
    // Each intent is asked for on two connections at about the same time.
    const queues = connections.map((_, at) => intents.filter((_intent, i) => i % CONNECTIONS !== at));
    const lane = async ({ guard, redis }: { guard: Guard; redis: Redis }, at: number): Promise<void> => {
      for (let id = queues[at]!.shift(); id; id = queues[at]!.shift())
        await job({ guard, redis, id, caller: `c${at}` });
    };
    await Promise.all(connections.flatMap((each, at) => Array.from({ length: LANES }, () => lane(each, at))));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await server?.stop();
  });

  interface Caller {
    guard: Guard;
    redis: Redis;
    id: string;
    caller: string;
  }

  /** One caller's job for one intent, as a worker does it: attempts and looks, until the intent has ended. */
  async function job({ guard, redis, id, caller }: Caller): Promise<void> {
    const activity = `order:${id}/${caller}/1`;
    // Some die with their first GO, before or after the act; their next attempt finds the claim.
    const fate = createRandom(SEED, activity).fraction();
    let isFirst = true;
    for (let attempt = 1; ; attempt += 1) {
      const owner = { activity, attempt, nonce: 'n' };
      const request = admitRequest({ owner, knownUnsent: isFirst, quiesceMs: QUIESCE_MS, mostSends: 1_000 });
      const asked = await guard.admit(placing(id), request).catch(away);
      count(answers, asked === 'away' ? asked : asked.kind);
      if (asked === 'away') {
        await untilConnected(redis);
        continue;
      }
      if (asked.kind === 'REPLAY') return;
      if (asked.kind === 'GO') {
        const record = await direct.record(placing(id));
        expect(record).toMatchObject({ state: 'CLAIMED', owner: activity, fence: fenceOf(asked) });
        count(goes, id);
        const dies = isFirst && fate < 0.2;
        isFirst = false;
        if (!dies || fate < 0.1) count(acts, id);
        if (!dies) return await settle({ guard, redis, id, fence: fenceOf(asked) });
      } else if (asked.kind === 'BUSY') {
        const record = await direct.record(placing(id));
        // It is another caller who acts at this moment.
        if (record?.state === 'CLAIMED') expect(record.owner).not.toBe(activity);
        await nextTurn();
      } else if (asked.kind === 'UNKNOWN') {
        await look({ guard, redis, id, activity });
      } else {
        throw new Error(`${id}: ${JSON.stringify(asked)}`);
      }
    }
  }

  async function settle({ guard, redis, id, fence }: Omit<Caller, 'caller'> & { fence: string }): Promise<void> {
    for (;;) {
      const settled = await guard.settle(placing(id), settleRequest({ fence })).catch(away);
      if (settled === 'away') await untilConnected(redis);
      else return expect(settled).toMatchObject({ kind: 'OK', state: 'DONE' });
    }
  }

  async function look({ guard, redis, id, activity }: Omit<Caller, 'caller'> & { activity: string }): Promise<void> {
    const begin = { fingerprint: '1:aa', leaseMs: 1_000, quiesceMs: QUIESCE_MS, mostLooks: 1_000, refusal: '' };
    for (;;) {
      const start = await guard.lookBegin(placing(id), { ...begin, looker: activity, givenUp: '' }).catch(away);
      count(answers, start === 'away' ? start : `look ${start.kind}`);
      if (start === 'away') await untilConnected(redis);
      else if (start.kind === 'LOOK') {
        const verdict = acts.has(id) ? 'found' : 'absent';
        const absence = { quiesceMs: QUIESCE_MS, looks: 2, gapMs: 1 };
        await guard.lookEnd(placing(id), { fence: start.fence, verdict, payload: '{}', absence }).catch(away);
      } else if (start.kind !== 'BUSY') return;
      await nextTurn();
    }
  }

  const away = (error: unknown): 'away' => {
    if (isStoreUnavailable(error)) return 'away';
    throw error;
  };
  const untilConnected = async (redis: Redis): Promise<void> => {
    // A connection that is half closed still counts as ready.
    await nextTurn();
    if (redis.status !== 'ready') await new Promise<void>((resolve) => void redis.once('ready', resolve));
  };

  it('connections were cut hundreds of times', () => {
    const cuts = proxies.reduce((sum, proxy) => sum + proxy.cuts, 0);
    const told = [...answers].map(([kind, times]) => `${times} ${kind}`).join(', ');
    process.stdout.write(`${cuts} cuts; answers: ${told}\n`);
    expect(cuts).toBeGreaterThan(100);
  });

  it('every intent ended with exactly one act', async () => {
    expect([...acts].filter(([, times]) => times !== 1)).toEqual([]);
    expect(acts.size).toBe(INTENTS);
    expect(await direct.unresolvedCount('paper')).toBe(0);
  });

  it('every record is done and counts each GO once', async () => {
    for (const [id, sends] of goes) expect(await direct.record(placing(id))).toMatchObject({ state: 'DONE', sends });
  });
});
