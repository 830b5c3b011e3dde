import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { FillsafeConfig } from '../config/schema';
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes';

type ConnectionOptions = NonNullable<Parameters<typeof Connection.connect>[0]>;

/** Where Temporal is: the settings of the `temporal` CLI (environment, profile), with the configuration's own on top. */
export function temporalSettings(config: FillsafeConfig): {
  options: ConnectionOptions;
  namespace: string;
  address: string;
} {
  const found = loadClientConnectConfig();
  const address = config.temporal.address ?? found.connectionOptions.address ?? '127.0.0.1:7233';
  return {
    options: { ...found.connectionOptions, address } as ConnectionOptions,
    namespace: config.temporal.namespace ?? found.namespace ?? 'default',
    address,
  };
}

/** Temporal cannot be reached; the message says where it was looked for and what to do. */
export class TemporalUnreachableError extends Error {
  override readonly name = 'TemporalUnreachableError';

  constructor(address: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `cannot reach Temporal at ${address}: ${reason}. ` +
        'Is it running? Set TEMPORAL_ADDRESS or temporal.address; `fillsafe dev` starts one.',
      { cause },
    );
  }
}

/** A client, or a `TemporalUnreachableError` after `temporal.connect_timeout_ms`. Close its connection after use. */
export async function connectTemporal(config: FillsafeConfig): Promise<Client> {
  const { options, namespace, address } = temporalSettings(config);
  try {
    const connection = await Connection.connect({ ...options, connectTimeout: config.temporal.connect_timeout_ms });
    return new Client({ connection, namespace });
  } catch (error) {
    throw new TemporalUnreachableError(address, error);
  }
}

/** Which of fillsafe's search attributes the server does not know. All of them, where it cannot be asked. */
export async function missingSearchAttributes(client: Client): Promise<string[]> {
  try {
    const { namespace } = client.options;
    const { customAttributes } = await client.connection.withDeadline(Date.now() + 5_000, () =>
      (client.connection as Connection).operatorService.listSearchAttributes({ namespace }),
    );
    return SEARCH_ATTRIBUTES.filter((name) => customAttributes?.[name] === undefined);
  } catch {
    return [...SEARCH_ATTRIBUTES];
  }
}
