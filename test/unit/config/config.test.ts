import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../src/config/load';
import { printConfig } from '../../../src/config/print';

/** As the contract has it. */
const CONTRACT = `retry:
  circuit_breaker: {enabled: true}
  metrics: {enabled: true}
  redis: {namespace: "idempotency", ttl_seconds: 259200}
adaptive: {enabled: false}
leaderboard: {enabled: false}
hybrid: {enabled: false}
`;
const PAPER = `venues:
  paper: {adapter: paper, base_url: 'http://127.0.0.1:1', api_key: k, api_secret: s}
`;

describe('the configuration', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fillsafe-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (text: string, name = 'c.yaml'): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const load = (text: string, env: Record<string, string> = {}) => loadConfig({ file: file(text), env });
  const problems = (text: string, env: Record<string, string> = {}): string => {
    try {
      load(text, env);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.join('\n');
      throw error;
    }
    throw new Error('was not refused');
  };

  it('loads the block of the contract unchanged, and it changes no default', () => {
    expect(load(CONTRACT)).toEqual(loadConfig({ env: {} }));
    expect(load(CONTRACT).retry.redis).toEqual({ namespace: 'idempotency', ttl_seconds: 259_200 });
  });

  it('lays file over defaults, environment over file and flags over all', () => {
    const path = file('retry: {redis: {namespace: from-file}}\nmetrics: {port: 1}\nlane: live\n');
    const env = { FILLSAFE_RETRY__REDIS__NAMESPACE: 'from-env', FILLSAFE_METRICS__PORT: '2' };
    const config = loadConfig({ file: path, env, flags: { metrics: { port: 3 } } });
    expect(config.lane).toBe('live');
    expect(config.retry.redis).toEqual({ namespace: 'from-env', ttl_seconds: 259_200 });
    expect(config.metrics).toEqual({ port: 3, host: '127.0.0.1' });
  });

  it('takes settings for job types that people define, known here or not, and keeps their names well formed', () => {
    const { policy, circuit_breaker } = load(`retry:
  policy: {payout.send: {most_sends: 2}}
  circuit_breaker: {job_types: {payout.send: {permits: 1}}}
`).retry;
    expect(policy['payout.send']).toEqual({ most_sends: 2 });
    expect(circuit_breaker.job_types['payout.send']).toEqual({ permits: 1 });
    const rule = 'a job type must be two words with a dot, like payout.send';
    expect(problems('retry: {policy: {payout: {most_sends: 2}}}')).toContain(`retry.policy.payout: ${rule}`);
    expect(problems('retry: {circuit_breaker: {job_types: {PAYOUT.send: {}}}}')).toContain(rule);
    expect(problems('retry: {policy: {payout.send: {on_absent: fail}}}')).toContain(
      'retry.policy.payout.send.on_absent: there is no such setting',
    );
    expect(problems('retry: {policy: {payout.send: {schedule_to_close_seconds: 300000}}}')).toContain(
      'retry.redis.ttl_seconds: 259200 is too short: retry.policy.payout.send.schedule_to_close_seconds is 300000',
    );
  });

  it('refuses a venue named like what concerns no venue', () => {
    expect(problems(PAPER.replace('paper:', 'books:'))).toContain('"books" names what concerns no venue');
  });

  it('takes the file from FILLSAFE_CONFIG where none is given', () => {
    expect(loadConfig({ env: { FILLSAFE_CONFIG: file('lane: live') } }).lane).toBe('live');
  });

  it('takes the addresses that other tools use too', () => {
    const config = loadConfig({ env: { REDIS_URL: 'redis://r:1', DATABASE_URL: 'postgres://d/x' } });
    expect([config.redis.url, config.ledger.url]).toEqual(['redis://r:1', 'postgres://d/x']);
    const env = { REDIS_URL: 'redis://r:1', FILLSAFE_REDIS__URL: 'redis://mine:2' };
    expect(loadConfig({ env }).redis.url).toBe('redis://mine:2');
  });

  it('reads a secret from the file that a variable ending in _FILE names', () => {
    const secret = file('0123\n', 'secret');
    const venue = load(PAPER, { FILLSAFE_VENUES__PAPER__API_SECRET_FILE: secret }).venues['paper'];
    expect(venue?.api_secret).toBe('0123');
    expect(problems(PAPER, { FILLSAFE_VENUES__PAPER__API_SECRET_FILE: join(folder, 'none') })).toContain(
      'FILLSAFE_VENUES__PAPER__API_SECRET_FILE',
    );
  });

  it('keeps a key of digits as text', () => {
    expect(load(PAPER, { FILLSAFE_VENUES__PAPER__API_KEY: '0012' }).venues['paper']?.api_key).toBe('0012');
  });

  it.each([
    ['an unknown key, by its path', 'retry: {redis: {ttl: 5}}', 'retry.redis.ttl: there is no such setting'],
    ['an unknown section', 'retrry: {}', 'retrry: there is no such setting'],
    ['a bad value', 'metrics: {port: 70000}', 'metrics.port: '],
    ['a bad lane', 'lane: testnet', 'lane: '],
    ['text for a number', 'retry: {redis: {ttl_seconds: long}}', 'retry.redis.ttl_seconds: '],
    ['what is not there yet', 'adaptive: {enabled: true}', 'adaptive.enabled: adaptive retry is not available yet'],
    [
      'one look as proof',
      'retry: {look_up: {agreeing_looks: 1}}',
      'retry.look_up.agreeing_looks: one look proves nothing',
    ],
    ['a short time-out', 'venue_defaults: {timeout_ms: 5000}', 'venue_defaults.timeout_ms: must be at least 11000'],
    ['a namespace with a brace', 'retry: {redis: {namespace: "a{b}"}}', 'retry.redis.namespace: '],
    ['a file that is no YAML', 'a: [', 'c.yaml'],
    ['a file that is a list', '- a', 'c.yaml'],
  ])('refuses %s', (_what, text, problem) => {
    expect(problems(text)).toContain(problem);
  });

  it('refuses an unknown variable by the path that it means', () => {
    expect(problems('', { FILLSAFE_RETRY__REDIS__TTL: '5' })).toContain('retry.redis.ttl: there is no such setting');
  });

  it('says which file cannot be read', () => {
    expect(() => loadConfig({ file: join(folder, 'gone.yaml'), env: {} })).toThrow(
      /gone.yaml: cannot be read \(ENOENT\)/,
    );
  });

  it('refuses a life of records shorter than a job, and names both settings', () => {
    const said = problems('retry: {redis: {ttl_seconds: 7199}}');
    expect(said).toContain('retry.redis.ttl_seconds: 7199 is too short');
    expect(said).toContain('retry.policy.order.place.schedule_to_close_seconds is 3600');
    expect(load('retry: {redis: {ttl_seconds: 7200}}').retry.redis.ttl_seconds).toBe(7_200);
  });

  it('refuses attempts that end before the venue has answered, and names both settings', () => {
    const said = problems(`${PAPER}retry: {policy: {order.place: {start_to_close_seconds: 12}}}`);
    expect(said).toContain('retry.policy.order.place.start_to_close_seconds: 12');
    expect(said).toContain('venues.paper.timeout_ms is 11000');
  });

  it('is printed without a single secret', () => {
    const text = `
redis: {url: 'redis://user:hush-redis@h:1'}
ledger: {url: 'postgres://user:hush-ledger@h/db?password=hush-query&sslmode=require'}
venues:
  v: {adapter: paper, base_url: 'http://user:hush-venue@h:1', api_key: hush-key, api_secret: hush-secret}
`;
    const printed = printConfig(load(text));
    expect(printed).not.toContain('hush');
    expect(printed).toContain('redis://user:hidden@h:1');
    expect(printed).toContain('sslmode=require');
    const odd = loadConfig({ env: {}, flags: { ledger: { url: 'host=h password=hush' } } });
    expect(printConfig(odd)).not.toContain('hush');
  });

  it('shows no secret in what it refuses', () => {
    const said = problems(`redis: {url: 'http://u:hush@h'}\n${PAPER}`, { FILLSAFE_VENUES__PAPER__BASE_URL: 'hush' });
    expect(said).toContain('redis.url: must be a redis://');
    expect(said).not.toContain('hush');
  });
});
