import type { Redis } from 'ioredis';
import { waitUntil } from '../../src/dev/wait-until';
import { Guard } from '../../src/guard/guard';
import { ReplicatedAdmissions } from '../../src/redis/replicated';
import { effectHarness, ORDER } from '../support/effect-harness';
import { admitRequest, fenceOf, placing } from '../support/guard-requests';
import { startTestRedis, USER, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

const FOLLOWING = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '600'];

/** A primary and one replica whose stream passes a proxy, so that it can be held back and lost. */
describe('an order whose claim must reach a replica', () => {
  let primary: TestRedis;
  let replica: TestRedis;
  let stream: TcpProxy;
  let redis: Redis;
  let waiting: Redis;
  let namespace: string;
  const servers: TestRedis[] = [];

  const start = async (fsync: string, ...extraArgs: string[]): Promise<TestRedis> => {
    const args = [...FOLLOWING, '--appendfsync', fsync, ...extraArgs];
    const server = await startTestRedis({ durable: true, extraArgs: args });
    servers.push(server);
    return server;
  };
  const follow = async (fsync = 'everysec'): Promise<void> => {
    primary = await start(fsync);
    stream = await startTcpProxy(primary.port);
    replica = await start(fsync, '--replicaof', '127.0.0.1', String(stream.port));
    const { admin } = primary;
    await admin.call('ACL', 'SETUSER', USER, '+wait', ...((await hasWaitAof()) ? ['+waitaof'] : []));
    redis = await primary.connect();
    waiting = await primary.connect();
    await untilFollowing();
  };
  const untilFollowing = async (): Promise<void> => {
    const isThere = async (): Promise<boolean> => {
      await primary.admin.set('following', '1');
      return (await primary.admin.wait(1, 100)) === 1;
    };
    expect(await waitUntil(isThere, { timeoutMs: 30_000 })).toBe(true);
  };
  const lane = (over: { toDisk?: boolean; timeoutMs?: number; connection?: Redis } = {}): ReplicatedAdmissions =>
    new ReplicatedAdmissions(over.connection ?? waiting, {
      waitFor: 1,
      timeoutMs: over.timeoutMs ?? 200,
      toDisk: () => over.toDisk === true,
    });
  const guardOver = (replicated?: ReplicatedAdmissions): Guard =>
    new Guard(redis, { namespace, ttlMs: 100_000, replicated });
  const admitted = (guard: Guard, id: string) => guard.admit(placing(id), admitRequest({ replicate: true }));
  const hasWaitAof = async (): Promise<boolean> => {
    const [, major = 0, minor = 0] = (/redis_version:(\d+)\.(\d+)/.exec(await primary.admin.info('server')) ?? []).map(
      Number,
    );
    return major > 7 || (major === 7 && minor >= 2);
  };

  /** One that was killed has nothing to resume. */
  const resume = ({ pid }: TestRedis): void => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  beforeEach(() => void (namespace = 'test-1'));
  afterEach(async () => {
    servers.forEach(resume);
    for (const server of servers.splice(0)) await server.stop();
    await stream.stop();
  });

  it('leaves while the replica keeps up, and does not leave while it does not: held, and released for later', async () => {
    await follow();
    const job = effectHarness(redis, { namespace, replicated: lane() });
    const first = await job.attempt({ input: { ...ORDER, intentId: 'a' } });
    expect(first.result).toMatchObject({ status: 'done', replayed: false });

    process.kill(replica.pid, 'SIGSTOP');
    const held = await job.attempt();
    expect(held.failure).toMatchObject({ type: 'NOT_REPLICATED', nonRetryable: false, nextRetryDelay: 2_000 });
    expect(held.failure?.message).toContain('0 of 1 replicas had the claim after 200 ms');
    expect(job.seen.sends).toBe(1);
    expect(await job.record()).toMatchObject({ state: 'RELEASED', sends: 0 });

    process.kill(replica.pid, 'SIGCONT');
    await untilFollowing();
    expect((await job.attempt({ attempt: 2 })).result).toMatchObject({ status: 'done', replayed: false });
    expect(job.seen.sends).toBe(2);
  });

  it('does not leave when there is no replica at all', async () => {
    await follow();
    replica.kill();
    await stream.stop();
    const job = effectHarness(redis, { namespace, replicated: lane({ timeoutMs: 50 }) });
    expect((await job.attempt()).failure).toMatchObject({ type: 'NOT_REPLICATED' });
    expect(job.seen.sends).toBe(0);
  });

  it('is not held up by acts that may be repeated: their claims do not wait', async () => {
    await follow();
    process.kill(replica.pid, 'SIGSTOP');
    const job = effectHarness(redis, { namespace, replicated: lane() });
    expect((await job.attempt({ jobType: 'order.cancel' })).result).toMatchObject({ status: 'done' });
  });

  it('is on disk at both where both write at once, and WAITAOF can tell', async () => {
    await follow('always');
    if (!(await hasWaitAof())) {
      const old = guardOver(lane({ toDisk: true }));
      await old.store.open('paper', { quiesceMs: 1, neverUsed: true });
      expect(await admitted(old, 'a')).toMatchObject({ missing: expect.stringContaining('did not say') });
      return;
    }
    // The file of a replica that has just come is still being made.
    const isOnDisk = async (): Promise<boolean> => {
      await primary.admin.set('on-disk', '1');
      const [, copies] = (await primary.admin.call('WAITAOF', 1, 1, 100)) as number[];
      return copies === 1;
    };
    expect(await waitUntil(isOnDisk, { timeoutMs: 30_000 })).toBe(true);
    const guard = guardOver(lane({ toDisk: true }));
    await guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
    expect(await admitted(guard, 'a')).toMatchObject({ kind: 'GO', missing: '' });
    // So does a primary that leaves it to the system when it writes.
    await primary.admin.config('SET', 'appendfsync', 'no');
    expect(await admitted(guard, 'unwritten')).toMatchObject({ missing: expect.stringContaining("primary's disk") });
    await primary.admin.config('SET', 'appendfsync', 'always');
    // A replica that keeps its claims in memory does not count.
    await replica.admin.config('SET', 'appendonly', 'no');
    expect(await admitted(guard, 'b')).toMatchObject({ kind: 'GO', missing: expect.stringContaining('0 of 1') });
    await primary.admin.config('SET', 'appendonly', 'no');
    expect(await admitted(guard, 'c')).toMatchObject({ missing: expect.stringContaining('appendonly is disabled') });
  });

  /** Asks for claims without pause until the replica is behind, then the primary dies and the replica takes over. */
  async function failover(
    guard: Guard,
  ): Promise<{ acknowledged: Map<string, string>; lost: string[]; missed: number }> {
    await guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
    const acknowledged = new Map<string, string>();
    let [asked, answered, missed, isOver] = [0, 0, 0, false];
    const caller = async (): Promise<void> => {
      while (!isOver) {
        const id = `i${(asked += 1)}`;
        try {
          const admission = await admitted(guard, id);
          if (admission.kind === 'GO' && admission.missing === '') acknowledged.set(id, fenceOf(admission));
          else missed += 1;
        } catch {
          missed += 1;
        }
        answered += 1;
      }
    };
    const callers = Array.from({ length: 20 }, caller);
    const until = async (count: number): Promise<void> =>
      void expect(await waitUntil(() => Promise.resolve(answered > count), { timeoutMs: 30_000 })).toBe(true);
    await until(200);
    // What the primary sends from here on is lost on its way.
    stream.blackHole();
    await until(answered + 100);
    primary.kill();
    isOver = true;
    await Promise.all(callers);

    const promoted = await replica.connect();
    await replica.admin.call('REPLICAOF', 'NO', 'ONE');
    const after = new Guard(promoted, { namespace, ttlMs: 100_000 });
    const lost: string[] = [];
    for (const [id, fence] of acknowledged) {
      if ((await after.record(placing(id)))?.fence !== fence) lost.push(id);
    }
    return { acknowledged, lost, missed };
  }

  it('is never lost by a failover to a replica that is behind', async () => {
    await follow();
    const { acknowledged, lost, missed } = await failover(guardOver(lane()));
    expect(acknowledged.size).toBeGreaterThan(100);
    expect(missed).toBeGreaterThan(90);
    expect(lost).toEqual([]);
    process.stdout.write(`claims that counted: ${acknowledged.size}, lost ${lost.length}; did not count: ${missed}\n`);
  });

  it('would be lost by it if nobody waited: the same failover without the wait', async () => {
    await follow();
    const { acknowledged, lost } = await failover(guardOver());
    expect(lost.length).toBeGreaterThan(50);
    process.stdout.write(`claims without the wait: ${acknowledged.size}, lost ${lost.length}\n`);
  });

  it('does not count when the connection broke between the claim and the word of the replicas', async () => {
    await follow();
    const proxy = await startTcpProxy(primary.port);
    const connection = await primary.connect({ port: proxy.port, commandTimeoutMs: 3_000 });
    try {
      const guard = guardOver(lane({ connection, timeoutMs: 1_000 }));
      await guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
      await admitted(guard, 'warm');
      process.kill(replica.pid, 'SIGSTOP');
      const claim = admitted(guard, 'a');
      expect(await waitUntil(async () => (await guard.record(placing('a'))) !== undefined, { timeoutMs: 5_000 })).toBe(
        true,
      );
      // The replica is back at once, but WAIT on a new connection would speak of nothing.
      proxy.close();
      proxy.open();
      expect(await claim).toMatchObject({ kind: 'GO', missing: expect.stringContaining('did not say') });
    } finally {
      connection.disconnect();
      await proxy.stop();
    }
  });

  it('goes on after Redis has forgotten its scripts, and still waits for the claim itself', async () => {
    await follow();
    const guard = guardOver(lane());
    await guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
    expect(await admitted(guard, 'a')).toMatchObject({ kind: 'GO', missing: '' });
    await primary.admin.script('FLUSH');
    expect(await admitted(guard, 'b')).toMatchObject({ kind: 'GO', missing: '' });
    await primary.admin.script('FLUSH');
    process.kill(replica.pid, 'SIGSTOP');
    expect(await admitted(guard, 'c')).toMatchObject({ kind: 'GO', missing: expect.stringContaining('0 of 1') });
  });

  it('shares its wait with the others that came meanwhile', async () => {
    await follow();
    const guard = guardOver(lane());
    await guard.store.open('paper', { quiesceMs: 1, neverUsed: true });
    await primary.admin.config('RESETSTAT');
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => admitted(guard, `i${i}`)));
    expect(answers.every((answer) => answer.kind === 'GO' && answer.missing === '')).toBe(true);
    const waits = Number(/cmdstat_wait:calls=(\d+)/.exec(await primary.admin.info('commandstats'))?.[1]);
    expect(waits).toBeLessThanOrEqual(3);
  });
});
