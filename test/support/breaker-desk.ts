import { join } from 'node:path';
import { Redis } from 'ioredis';
import { readRow, type AuditRow } from '../../src/breaker/control/audit';
import type { ControlSnapshot } from '../../src/breaker/control/page';
import type { OverrideRequest } from '../../src/breaker/control/request';
import { locateTemporal } from '../../src/dev/binaries';
import { guardKeys } from '../../src/guard/keys';
import { startHastyTemporal } from './hasty-temporal';
import { pythonWithTemporal } from './python-temporal';
import { runCli, type CliEnd } from './run-cli';
import { runProgram, type ProgramEnd } from './run-program';
import { tradingDesk } from './trading-desk';

/** What an order was answered: exit code and all that was said. */
export type Answer = Pick<ProgramEnd, 'code'> & { said: string };
/** Gives an order, which may be a wrong one, in one of the ways that there are. */
export type Way = (scope: string, order: Record<string, unknown>) => Promise<Answer>;

/** The row in an entry of the audit's stream, if it holds one. */
export function rowIn(fields: string[]): AuditRow | undefined {
  return readRow(fields[fields.indexOf('row') + 1] ?? '');
}

/** A trading desk on a hasty Temporal, and all the ways to order its breakers. */
export function breakerDesk({ settings = {} }: { settings?: Record<string, string> } = {}) {
  let temporal: Awaited<ReturnType<typeof startHastyTemporal>> | undefined;
  let redis: Redis;
  let cli: string;
  let python: Awaited<ReturnType<typeof pythonWithTemporal>>;

  const desk = tradingDesk({
    prepare: async () => {
      cli = await locateTemporal(() => undefined);
      python = await pythonWithTemporal();
      temporal = await startHastyTemporal();
      return { TEMPORAL_ADDRESS: temporal.address, ...settings };
    },
  });
  beforeAll(() => {
    redis = new Redis(desk.stack.stack.info.redis ?? '');
  });
  afterAll(async () => {
    redis?.disconnect();
    await temporal?.stop();
  });

  const atServer = () => ({ env: { TEMPORAL_ADDRESS: temporal!.address } });
  const fillsafe = (...args: string[]): Promise<CliEnd> => runCli([...args, '--config', desk.stack.stack.info.config]);
  const temporalCli = (...args: string[]): Promise<ProgramEnd> => runProgram(cli, args, atServer());
  const control = (scope: string) => desk.stack.client.breaker(scope);
  const told = ({ code, stdout, stderr }: ProgramEnd): Answer => ({ code, said: stdout + stderr });
  const example = join(__dirname, '..', '..', 'examples', 'order-breaker.py');

  const ways: Record<string, Way> = {
    'the typed client': (scope, order) =>
      Promise.resolve()
        .then(() => control(scope).override(order as unknown as OverrideRequest))
        .then(
          ({ meaning }) => ({ code: 0, said: meaning }),
          (error: Error) => ({ code: 1, said: error.message }),
        ),
    'the command line': async (scope, { action, reason, actor, forSeconds }) => {
      const span = forSeconds === undefined ? [] : ['--for', `${String(forSeconds)}s`];
      const who = ['--reason', String(reason), '--actor', String(actor)];
      return told(await fillsafe('breaker', String(action), scope, ...who, ...span));
    },
    'a signal of the temporal CLI': async (scope, order) => {
      const input = ['--signal-name', 'override', '--signal-input', JSON.stringify(order)];
      const start = ['--workflow-id', `breaker:${scope}`, '--type', 'breakerControl', '--task-queue', 'fillsafe'];
      return told(await temporalCli('workflow', 'signal-with-start', ...start, ...input));
    },
    'an update of the temporal CLI': async (scope, order) => {
      const input = ['--name', 'override', '--input', JSON.stringify(order)];
      return told(await temporalCli('workflow', 'update', 'execute', '--workflow-id', `breaker:${scope}`, ...input));
    },
    'an update from Python': async (scope, { action, reason, actor, forSeconds }) => {
      const args = [scope, String(action), String(reason), ...(forSeconds === undefined ? [] : [String(forSeconds)])];
      return told(await python(example, args, { ...atServer().env, LOGNAME: String(actor) }));
    },
    'a signal from Python': async (scope, order) =>
      told(await python(join(__dirname, 'order-by-signal.py'), [scope, JSON.stringify(order)], atServer().env)),
  };

  const streamOf = (venue: string): string => guardKeys('idempotency').audit(venue);
  /** Rows of a scope's audit as the stream of a venue has them. */
  async function rowsInRedis(scope: string, venue = scope.split('/')[0]!): Promise<AuditRow[]> {
    const entries = await redis.xrange(streamOf(venue), '-', '+');
    const rows = entries.map(([, fields]) => rowIn(fields));
    return rows.filter((row) => row?.scope === scope) as AuditRow[];
  }
  /** Rows of a scope's audit as its control workflow has them. */
  const rowsInWorkflow = async (scope: string): Promise<AuditRow[]> => [
    ...((await control(scope).history())?.rows ?? []),
  ];

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const untilState = (scope: string, holds: (state: ControlSnapshot) => boolean): Promise<void> =>
    until(async () => {
      const state = await control(scope).state();
      return state !== undefined && holds(state);
    });

  /** How often the venue was asked to place an order. */
  async function placements(): Promise<number> {
    const { requests } = (await desk.stack.truth()) as unknown as { requests: { method: string; path: string }[] };
    return requests.filter(({ method, path }) => method === 'POST' && path === '/api/v3/order').length;
  }

  return {
    ...{
      desk,
      ways,
      fillsafe,
      temporalCli,
      control,
      streamOf,
      rowsInRedis,
      rowsInWorkflow,
      until,
      untilState,
      placements,
    },
    get redis() {
      return redis;
    },
  };
}
