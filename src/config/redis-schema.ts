import { z } from 'zod';

const text = z.string().min(1).nullable();

/** A list, or one line of text with commas as the environment gives it. */
const nodes = z.preprocess(
  (given) => (typeof given === 'string' ? given.split(',').map((each) => each.trim()) : given),
  z
    .array(
      z.string().regex(/^rediss?:\/\/[^\s/@?#]+:\d+$/, {
        error: 'must be redis://host:port or rediss://host:port; user name and password are settings of their own',
      }),
    )
    .min(1, { error: 'name at least one node' })
    .refine((all) => new Set(all.map(schemeOf)).size <= 1, {
      error: 'must be all redis:// or all rediss://',
    })
    .nullable(),
);

const sentinel = z
  .strictObject({
    name: z.string().min(1),
    nodes: nodes.refine((given) => given !== null, { error: 'name at least one Sentinel' }),
    username: text.default(null),
    password: text.default(null),
  })
  .nullable();

/** What the operator knows of a Redis that does not tell. */
const acknowledged = z
  .strictObject({
    version: z.string().regex(/^\d+\.\d+/, { error: 'a version as "7.2.4"' }),
    role: z.literal('master', { error: 'must be master: a replica takes no claims' }),
    maxmemory_policy: z.literal('noeviction', { error: 'must be noeviction: any other policy loses claims' }),
    persistence: z.enum(['always', 'everysec', 'no', 'none']),
    evicted_keys: z.number().int().nonnegative(),
  })
  .partial();

/** Where Redis is and who asks it. Where nothing is given, commands that need no Redis still work. */
export const redisSchema = z
  .strictObject({
    url: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// address' }).nullable(),
    cluster: nodes,
    sentinel,
    username: text,
    password: text,
    tls: z.strictObject({ ca_file: text, cert_file: text, key_file: text, server_name: text }),
    command_timeout_ms: z.number().int().positive(),
    memory_budget_mb: z.number().int().positive(),
    replicas: z.strictObject({ wait_for: z.number().int().nonnegative(), timeout_ms: z.number().int().positive() }),
    acknowledged,
  })
  .check(({ value, issues }) => {
    const refuse = (path: string[], message: string): void =>
      void issues.push({ code: 'custom', path, message, input: undefined });
    const given = (['url', 'cluster', 'sentinel'] as const).filter((name) => value[name] !== null);
    if (given.length > 1) {
      const all = given.join(' and ').replace('url', 'url (or REDIS_URL)');
      refuse([], `${all} are given: exactly one of url, cluster and sentinel says where Redis is`);
    }
    const { tls } = value;
    const addresses = addressesOf(value);
    const isTls = addresses.every((address) => schemeOf(address) === 'rediss:');
    if (addresses.length > 0 && !isTls && Object.values(tls).some((each) => each !== null)) {
      refuse(['tls'], 'is given, but redis:// sends everything in the clear: write rediss://');
    }
    if ((tls.cert_file === null) !== (tls.key_file === null)) {
      refuse(['tls'], 'cert_file and key_file belong together: give both or none');
    }
  });

export type RedisSettings = z.infer<typeof redisSchema>;

/** Every address that is connected to first; empty when none is given. */
export function addressesOf({ url, cluster, sentinel }: Pick<RedisSettings, 'url' | 'cluster' | 'sentinel'>): string[] {
  return url === null ? (cluster ?? sentinel?.nodes ?? []) : [url];
}

function schemeOf(address: string): string {
  return address.slice(0, address.indexOf('/'));
}
