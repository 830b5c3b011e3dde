import { builtinModules } from 'node:module';
import { bundleWorkflows } from '../../src/worker/bundle';

// Workflow code runs in a sandbox without Node, once per cached workflow: what gets in here costs memory or wedges jobs.
const BANNED = ['ioredis', 'pg', 'prom-client', 'pino', 'zod', 'yaml', 'commander', 'decimal.js'];

test('the workflow bundle holds no service, no schema library and no Node built-in, and is under 2 MB', async () => {
  const { code } = await bundleWorkflows();
  expect(code.length).toBeLessThan(2 * 1024 * 1024);

  // webpack keys every module by its path.
  const modules = [...code.matchAll(/^\/\*\*\*\/ "([^"]+)"/gm)].map(([, path]) => path!);
  expect(modules).toEqual(expect.arrayContaining([expect.stringContaining('workflows/place-order')]));
  for (const name of BANNED) expect(modules.filter((path) => path.includes(`node_modules/${name}/`))).toEqual([]);
  expect(modules.filter((path) => path.endsWith('.schema.ts') || path.endsWith('.schema.js'))).toEqual([]);

  const required = [...code.matchAll(/(?:require|__webpack_require__)\("((?:node:)?[a-z_/]+)"\)/g)].map(
    ([, name]) => name!,
  );
  const external = modules.filter((path) => /^external /.test(path));
  expect([...required, ...external].filter((name) => builtinModules.includes(name.replace(/^node:/, '')))).toEqual([]);
  expect(external).toEqual([]);
});
