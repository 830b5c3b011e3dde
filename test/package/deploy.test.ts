import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load';
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes';

const root = join(__dirname, '..', '..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Compose {
  services: Record<string, { image?: string; depends_on?: object; volumes?: string[]; command?: string[] }>;
}
const compose = parse(text('docker-compose.yml'), { merge: true }) as Compose;

test('the script that prepares a namespace registers every search attribute that jobs set', () => {
  const script = text('deploy/temporal/prepare-namespace.sh');
  const named = /for name in ([\w ]+); do/.exec(script)?.[1]?.split(' ');
  expect(named).toEqual([...SEARCH_ATTRIBUTES]);
  expect(script).toContain('--retention 72h');
});

test("the compose worker's configuration is a valid one for the paper venue of the compose file", () => {
  const config = loadConfig({ file: join(root, 'deploy/fillsafe.yaml'), env: { REDIS_URL: 'redis://redis:6379' } });
  expect(Object.keys(config.venues)).toEqual(['paper']);
  const { hostname, port } = new URL(config.venues['paper']!.base_url);
  expect(compose.services[hostname]?.command).toEqual(expect.arrayContaining(['--port', port]));
});

test('compose services wait only for services that exist, run pinned images and mount files that exist', () => {
  for (const { image, depends_on = {}, volumes = [] } of Object.values(compose.services)) {
    for (const name of Object.keys(depends_on)) expect(Object.keys(compose.services)).toContain(name);
    if (image !== 'fillsafe') expect(image).toMatch(/:\d+\.\d+/);
    for (const volume of volumes.filter((each) => each.startsWith('./'))) {
      expect(() =>
        text(join(volume.split(':')[0]!, volume.includes('.yaml') ? '' : 'prepare-schema.sh')),
      ).not.toThrow();
    }
  }
});

test('Redis of the compose file keeps every claim', () => {
  expect(compose.services['redis']?.command?.join(' ')).toMatch(
    /--maxmemory-policy noeviction --appendonly yes --appendfsync always/,
  );
});
