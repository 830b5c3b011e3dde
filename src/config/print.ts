import { stringify } from 'yaml';
import type { FillsafeConfig } from './schema';

const HIDDEN = '(hidden)';

/** The configuration without its secrets: keys are hidden, passwords are taken out of addresses. */
export function withoutSecrets(config: FillsafeConfig): FillsafeConfig {
  const venues = Object.entries(config.venues).map(([name, venue]) => [
    name,
    {
      ...venue,
      base_url: withoutPassword(venue.base_url),
      api_key: venue.api_key && HIDDEN,
      api_secret: venue.api_secret && HIDDEN,
    },
  ]);
  return {
    ...config,
    redis: withoutRedisSecrets(config.redis),
    ledger: { url: withoutPassword(config.ledger.url) },
    venues: Object.fromEntries(venues) as FillsafeConfig['venues'],
  };
}

function withoutRedisSecrets(redis: FillsafeConfig['redis']): FillsafeConfig['redis'] {
  const { url, password, sentinel } = redis;
  return {
    ...redis,
    url: withoutPassword(url),
    password: password && HIDDEN,
    sentinel: sentinel && { ...sentinel, password: sentinel.password && HIDDEN },
  };
}

export function printConfig(config: FillsafeConfig): string {
  return stringify(withoutSecrets(config));
}

function withoutPassword(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return address === null ? null : HIDDEN;
  const url = new URL(address);
  const query = [...url.searchParams.keys()].filter((name) => /pass|secret|token|key/i.test(name));
  // What holds no secret is shown as it was written.
  if (!url.password && query.length === 0) return address;
  if (url.password) url.password = 'hidden';
  for (const name of query) url.searchParams.set(name, 'hidden');
  return url.href;
}
