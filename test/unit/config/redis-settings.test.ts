import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../src/config/load';
import { printConfig } from '../../../src/config/print';

describe('the settings of Redis', () => {
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
  const load = (redis: string, env: Record<string, string> = {}) =>
    loadConfig({ file: file(`redis: ${redis}`), env }).redis;
  const refusal = (redis: string, env: Record<string, string> = {}): string => {
    try {
      load(redis, env);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.join('\n');
      throw error;
    }
    throw new Error('was not refused');
  };

  it('take a cluster, and a primary that Sentinels name', () => {
    expect(load('{cluster: [redis://a:1, "redis://[::1]:2"]}').cluster).toEqual(['redis://a:1', 'redis://[::1]:2']);
    expect(load('{sentinel: {name: m, nodes: [rediss://s:1]}}').sentinel).toEqual({
      name: 'm',
      nodes: ['rediss://s:1'],
      username: null,
      password: null,
    });
  });

  it('come from the environment too: a list with commas, secrets by files or as they are', () => {
    const env = {
      FILLSAFE_REDIS__CLUSTER: 'redis://a:1, redis://b:2',
      FILLSAFE_REDIS__USERNAME: 'true',
      FILLSAFE_REDIS__PASSWORD: '0012',
    };
    expect(load('{}', env)).toMatchObject({
      cluster: ['redis://a:1', 'redis://b:2'],
      username: 'true',
      password: '0012',
    });
    const secret = { FILLSAFE_REDIS__PASSWORD_FILE: file('of a file\n', 'secret') };
    expect(load('{}', secret).password).toBe('of a file');
  });

  it('may themselves name files: such a variable is a path and not the text of the file', () => {
    const env = { FILLSAFE_REDIS__TLS__CA_FILE: '/etc/ca.pem', REDIS_URL: 'rediss://r:1' };
    expect(load('{}', env).tls.ca_file).toBe('/etc/ca.pem');
  });

  it.each([
    ['{url: "redis://a:1", cluster: [redis://b:1]}', 'redis: url (or REDIS_URL) and cluster are given: exactly one'],
    ['{cluster: [redis://b:1], sentinel: {name: m, nodes: [redis://s:1]}}', 'redis: cluster and sentinel are given'],
    ['{cluster: []}', 'redis.cluster: name at least one node'],
    ['{cluster: [a:1]}', 'redis.cluster.0: must be redis://host:port'],
    ['{cluster: [redis://a]}', 'redis.cluster.0: must be redis://host:port'],
    ['{cluster: ["redis://:hush@a:1"]}', 'user name and password are settings of their own'],
    ['{cluster: [redis://a:1, rediss://b:1]}', 'redis.cluster: must be all redis:// or all rediss://'],
    ['{sentinel: {nodes: [redis://a:1]}}', 'redis.sentinel.name: '],
    ['{sentinel: {name: m, nodes: null}}', 'redis.sentinel.nodes: name at least one Sentinel'],
    ['{url: "redis://a:1", tls: {ca_file: ca.pem}}', 'redis.tls: is given, but redis:// sends everything in the clear'],
    ['{url: "rediss://a:1", tls: {cert_file: c.pem}}', 'redis.tls: cert_file and key_file belong together'],
    ['{password: {hush: 1}}', 'redis.password: '],
    ['{password: "hush', 'c.yaml: Missing closing "quote at line 1'],
  ])('refuse %s', (redis, problem) => {
    const said = refusal(redis);
    expect(said).toContain(problem);
    expect(said).not.toContain('hush');
  });

  it('refuse a REDIS_URL beside a cluster: it would be another store than the other workers have', () => {
    expect(refusal('{cluster: [redis://b:1]}', { REDIS_URL: 'redis://a:1' })).toContain('REDIS_URL');
  });

  it('are printed without a secret', () => {
    const printed = (redis: string): string => printConfig(loadConfig({ file: file(`redis: ${redis}`), env: {} }));
    const alone = printed('{url: "redis://u:hush@h:1", username: ada, password: hush}');
    const named = printed('{sentinel: {name: m, nodes: [redis://s:1], username: ada, password: hush}, password: hush}');
    for (const text of [alone, named]) {
      expect(text).not.toContain('hush');
      expect(text).toContain('username: ada');
      expect(text).toContain('password: (hidden)');
    }
  });
});
