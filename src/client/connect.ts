import { loadConfig } from '../config/load';
import type { FillsafeConfig } from '../config/schema';
import { FillsafeClient } from './client';

export interface ConnectFillsafeOptions {
  /** The whole configuration, as `loadConfig` gives it. Default: read from `configFile` and the environment. */
  config?: FillsafeConfig;
  /** A YAML file laid over the defaults. Default: `FILLSAFE_CONFIG`, else the defaults alone. */
  configFile?: string;
}

/**
 * Connects a service to fillsafe: a client that starts jobs by intent and answers with their ends. It needs Temporal (found
 * as the `temporal` CLI finds it) and, to refuse what no worker could do, the venues' names; neither Redis nor the venues.
 * Close it after use.
 *
 * @throws ConfigError when the configuration cannot be used, TemporalUnreachableError when Temporal does not answer within
 * `temporal.connect_timeout_ms` (default 5 000).
 */
export async function connectFillsafe(options: ConnectFillsafeOptions = {}): Promise<FillsafeClient> {
  const { configFile, config = loadConfig({ file: configFile }) } = options;
  return FillsafeClient.connect(config);
}
