import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/dev/ports';
import { connectRedis, type RedisConnection, type RedisSettings } from '../../src/redis/client';
import { PASSWORD, redisSettings, startTestRedis, USER, type TestRedis } from './redis';

const SLOTS = 16_384;

export interface TestCluster {
  nodes: TestRedis[];
  settings: RedisSettings;
  /** As the guard has it. Closed by `stop`. */
  connect(over?: Partial<RedisSettings>): Promise<RedisConnection>;
  /** The node that holds the keys of a tag, and the slot of them. */
  holderOf(tag: string): Promise<{ node: TestRedis; slot: number }>;
  /** Until every node says that all slots are served, or that they are not. */
  untilState(state: 'ok' | 'fail', among?: TestRedis[]): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis Cluster of primaries on 127.0.0.1 that share the slots evenly. */
export async function startTestCluster(size = 3): Promise<TestCluster> {
  // The bus would otherwise listen 10,000 above a port that may be near the highest there is.
  const busPorts = await Promise.all(Array.from({ length: size }, () => freePort()));
  const nodes = await Promise.all(
    busPorts.map((bus) =>
      startTestRedis({
        durable: true,
        extraArgs: ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '1500'],
      }),
    ),
  );
  const share = Math.ceil(SLOTS / size);
  for (const [i, { admin }] of nodes.entries()) {
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', i * share, Math.min((i + 1) * share, SLOTS) - 1);
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
  }
  for (const [i, { port }] of nodes.entries()) {
    if (i > 0) await nodes[0]!.admin.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[i]!);
  }
  const settings = redisSettings({
    cluster: nodes.map(({ port }) => `redis://127.0.0.1:${port}`),
    username: USER,
    password: PASSWORD,
  });
  const connections: RedisConnection[] = [];

  async function untilState(state: 'ok' | 'fail', among = nodes): Promise<void> {
    const agrees = async ({ admin }: TestRedis): Promise<boolean> => {
      const info = await admin.cluster('INFO').catch(() => '');
      return info.includes(`cluster_state:${state}`) && info.includes(`cluster_known_nodes:${size}`);
    };
    while (!(await Promise.all(among.map(agrees))).every(Boolean)) await sleep(50);
  }
  await untilState('ok');
  return {
    nodes,
    settings,
    untilState,
    connect: async (over = {}) => {
      const redis = await connectRedis({ ...settings, ...over });
      connections.push(redis);
      return redis;
    },
    holderOf: async (tag) => {
      const { admin } = nodes[0]!;
      const slot = Number(await admin.cluster('KEYSLOT', tag));
      const ranges = await admin.cluster('SLOTS');
      const [, , holder] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
      return { node: nodes.find(({ port }) => port === holder?.[1])!, slot };
    },
    stop: async () => {
      for (const redis of connections) redis.disconnect();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
