import type { Client, Connection } from '@temporalio/client';
import { connectTemporal, missingSearchAttributes, temporalSettings } from '../client/temporal';
import { queuePollers } from '../client/queue-pollers';
import type { FillsafeConfig } from '../config/schema';
import type { Finding } from './doctor';
import { errorText } from './output';

/** Value of Temporal's IndexedValueType. */
const KEYWORD = 2;
/** Jobs must be found for as long as the guard's records live. */
const HOUR_SECONDS = 3_600;

/** Whether Temporal is there, keeps jobs for long enough, knows the search attributes, and whether workers poll. */
export async function checkTemporal(config: FillsafeConfig, { fix }: { fix: boolean }): Promise<Finding[]> {
  let client: Client;
  try {
    client = await connectTemporal(config);
  } catch (error) {
    return [{ state: 'fail', what: 'Temporal', found: errorText(error) }];
  }
  const findings: Finding[] = [];
  const attempt = async (what: string, check: () => Promise<Finding[]>): Promise<void> => {
    try {
      findings.push(...(await client.connection.withDeadline(Date.now() + 10_000, check)));
    } catch (error) {
      findings.push({ state: 'fail', what, found: `could not be asked: ${errorText(error)}` });
    }
  };
  try {
    await attempt('Temporal', () => server(client, config));
    await attempt('retention', () => retention(client, config));
    await attempt('search attributes', () => searchAttributes(client, fix));
    await attempt('workers', () => workers(client, config));
  } finally {
    await client.connection.close();
  }
  return findings;
}

async function server(client: Client, config: FillsafeConfig): Promise<Finding[]> {
  const { serverVersion } = await client.workflowService.getSystemInfo({});
  const { address, namespace } = temporalSettings(config);
  return [{ state: 'ok', what: 'Temporal', found: `version ${serverVersion} at ${address}, namespace ${namespace}` }];
}

async function retention(client: Client, config: FillsafeConfig): Promise<Finding[]> {
  const { namespace } = client.options;
  const { config: settings } = await client.workflowService.describeNamespace({ namespace });
  const hours = Number(settings?.workflowExecutionRetentionTtl?.seconds ?? 0) / HOUR_SECONDS;
  const needed = Math.ceil(config.retry.redis.ttl_seconds / HOUR_SECONDS);
  const found = `finished jobs are kept for ${Math.floor(hours)} h`;
  if (hours >= needed) return [{ state: 'ok', what: 'retention', found }];
  const todo = `records live for ${needed} h: temporal operator namespace update --retention ${needed}h -n ${namespace}`;
  return [{ state: 'warn', what: 'retention', found, todo }];
}

async function searchAttributes(client: Client, fix: boolean): Promise<Finding[]> {
  const what = 'search attributes';
  const missing = await missingSearchAttributes(client);
  if (missing.length === 0) return [{ state: 'ok', what, found: 'all are registered' }];
  const names = missing.join(', ');
  if (!fix) {
    const todo =
      '`fillsafe doctor --fix` registers them; jobs run without them, but cannot be searched by intent or outcome';
    return [{ state: 'warn', what, found: `not registered: ${names}`, todo }];
  }
  const { namespace } = client.options;
  await (client.connection as Connection).operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
  return [{ state: 'ok', what, found: `registered now: ${names}`, todo: 'restart the workers, which look once' }];
}

async function workers(client: Client, config: FillsafeConfig): Promise<Finding[]> {
  const queues = await queuePollers(client, Object.keys(config.venues));
  const unpolled = queues.filter(({ pollers }) => pollers === 0).map(({ queue }) => queue);
  if (unpolled.length > 0) {
    const todo = 'jobs there wait; start a worker with `fillsafe worker`';
    return [{ state: 'fail', what: 'workers', found: `nobody polls ${unpolled.join(', ')}`, todo }];
  }
  const names = new Set(queues.flatMap(({ identities }) => identities));
  return [
    { state: 'ok', what: 'workers', found: `all ${queues.length} task queues are polled, by ${[...names].join(', ')}` },
  ];
}
