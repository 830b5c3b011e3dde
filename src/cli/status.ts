import { Command } from 'commander';
import type { FillsafeConfig } from '../config/schema';
import type { StackInfo } from '../dev/stack-file';
import { commandConfig } from './command-config';
import { EXIT } from './exit-codes';
import { ago, duration, print, printJson } from './output';
import { readStatus, type Status } from './read-status';
import { facts, table } from './table';

export function statusCommand(): Command {
  return new Command('status')
    .description('services, workers, six key numbers and every breaker; exit 1 when a service or a worker is away')
    .option('--json', 'one line of JSON')
    .option('--config <file>', 'configuration file; default: FILLSAFE_CONFIG, else the running fillsafe dev')
    .action(async (options: { json?: boolean; config?: string }) => {
      const { config, stack } = commandConfig({ ...options, quiet: options.json === true });
      const status = await readStatus(config, metricsAddress(config, stack));
      if (options.json) await printJson(status);
      else await print(inTables(status));
      const isAway = [status.services.temporal, status.services.redis].some((text) => text !== 'ok');
      const isUnpolled = status.workers.some(({ pollers }) => pollers === 0);
      process.exitCode = isAway || isUnpolled ? EXIT.FAILED : EXIT.DONE;
    });
}

function metricsAddress({ metrics }: FillsafeConfig, stack: StackInfo | undefined): string | undefined {
  if (stack?.metrics) return `${stack.metrics}/metrics`;
  if (metrics.port === 0) return undefined;
  const host = metrics.host === '0.0.0.0' ? '127.0.0.1' : metrics.host;
  return `http://${host}:${metrics.port}/metrics`;
}

function suspicion({ venue, why, leftMs }: Status['suspected'][number]): [string, string] {
  return [`claims at ${venue}`, `${why}: every act is looked up before it leaves, for ${duration(leftMs)} more`];
}

function inTables({ services, workers, numbers, suspected, breakers }: Status): string {
  const unpolled = workers.filter(({ pollers }) => pollers === 0).map(({ queue }) => queue);
  const names = new Set(workers.flatMap(({ identities }) => identities));
  const polled =
    workers.length === 0
      ? 'not known'
      : unpolled.length === 0
        ? `${names.size} polling all ${workers.length} task queues`
        : `NOBODY polls ${unpolled.join(', ')}: start a worker with \`fillsafe worker\``;
  const shown = (value: number | null): string => (value === null ? 'not known' : String(value));
  const nowMs = Date.now();
  return [
    'Services',
    facts([...Object.entries(services), ['workers', polled], ...suspected.map(suspicion)]),
    '',
    'Key numbers',
    facts([
      ['jobs running', shown(numbers.running)],
      ['done in the last hour', shown(numbers.doneLastHour)],
      ['refused in the last hour', shown(numbers.refusedLastHour)],
      ['outcome not known', shown(numbers.unresolved)],
      ['waiting for a person', shown(numbers.parked)],
      [
        'replays / duplicates',
        `${shown(numbers.replays)} / ${shown(numbers.duplicates)} (of the worker asked, since it started)`,
      ],
    ]),
    '',
    table(
      ['breaker', 'job type', 'state', 'since', 'failed / calls', 'next try'],
      breakers.map(({ venue, jobType, state, since, failures, calls, openUntil }) => [
        venue,
        jobType,
        state === null
          ? 'not known'
          : state === 'CLOSED'
            ? 'closed, jobs pass'
            : state === 'OPEN'
              ? 'OPEN, jobs are held'
              : 'half open, trying',
        since === null ? '' : ago(since, nowMs),
        `${failures} / ${calls}`,
        state === 'OPEN' && openUntil !== null ? `in ${duration(openUntil - nowMs)}` : '',
      ]),
    ),
  ].join('\n');
}
