import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { isJobType } from '../domain/job-types';
import { packageRoot } from '../package-root';
import { jobPolicy } from '../policy/job-policy';
import { configSchema, type FillsafeConfig } from './schema';

type Tree = { [key: string]: unknown };
type Environment = Record<string, string | undefined>;

/** The configuration cannot be used. `problems` name each setting by its path, what is wrong and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly isConfigError = true;

  constructor(readonly problems: string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** Variables of this prefix that are not settings. */
const NOT_SETTINGS = new Set(['FILLSAFE_CONFIG', 'FILLSAFE_CACHE_DIR', 'FILLSAFE_DATA_DIR']);

/**
 * Defaults < file (`file`, else `FILLSAFE_CONFIG`) < environment < `flags`.
 * Throws a `ConfigError` that names every unknown key and bad value.
 */
export function loadConfig({
  file,
  env = process.env,
  flags = {},
}: { file?: string | undefined; env?: Environment; flags?: Tree } = {}): FillsafeConfig {
  const defaults = readYaml(join(packageRoot, 'config', 'default.yaml'));
  const path = file ?? env['FILLSAFE_CONFIG'];
  const layers = [path === undefined ? {} : readYaml(path), fromEnvironment(env, defaults), flags];
  const result = configSchema.safeParse(layers.reduce<Tree>(overlay, defaults));
  if (!result.success) throw new ConfigError(result.error.issues.map(problemOf));
  const config = result.data;
  const problems = crossCheck(config);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readYaml(path: string): Tree {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
  try {
    const value: unknown = parse(text) ?? {};
    if (isTree(value)) return value;
    throw new Error('must hold settings, one "name: value" a line');
  } catch (error) {
    // Below its first line stands the faulty text itself, which may hold a secret.
    throw new ConfigError([`${path}: ${(error as Error).message.split('\n')[0]}`]);
  }
}

/** Secrets and names: digits or `true` are text here too. */
const ALWAYS_TEXT = ['api_key', 'api_secret', 'username', 'password'];

function fromEnvironment(env: Environment, defaults: Tree): Tree {
  const tree: Tree = {};
  if (env['REDIS_URL']) put(tree, ['redis', 'url'], env['REDIS_URL']);
  if (env['TEMPORAL_ADDRESS']) put(tree, ['temporal', 'address'], env['TEMPORAL_ADDRESS']);
  if (env['TEMPORAL_NAMESPACE']) put(tree, ['temporal', 'namespace'], env['TEMPORAL_NAMESPACE']);
  if (env['DATABASE_URL']) put(tree, ['ledger', 'url'], env['DATABASE_URL']);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('FILLSAFE_') || NOT_SETTINGS.has(name) || value === undefined) continue;
    const path = name.slice('FILLSAFE_'.length).toLowerCase().split('__');
    const last = path.at(-1) ?? '';
    if (last.endsWith('_file') && !hasSetting(defaults, path)) {
      put(tree, [...path.slice(0, -1), last.slice(0, -'_file'.length)], readSecret(name, value));
    } else {
      put(tree, path, ALWAYS_TEXT.includes(last) ? value : scalar(value));
    }
  }
  return tree;
}

/** A setting may itself name a file, as redis.tls.ca_file does. */
function hasSetting(tree: Tree, [head = '', ...rest]: string[]): boolean {
  if (!(head in tree)) return false;
  const below = tree[head];
  return rest.length === 0 || (isTree(below) && hasSetting(below, rest));
}

function readSecret(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw new ConfigError([`${name}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
}

/** Numbers, true, false and null as YAML reads them, anything else as text. */
function scalar(text: string): unknown {
  return /^(true|false|null|-?\d+(\.\d+)?)$/.test(text) ? parse(text) : text;
}

function put(tree: Tree, path: string[], value: unknown): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const below = isTree(tree[head]) ? tree[head] : {};
  tree[head] = below;
  put(below, rest, value);
}

function overlay(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = base[key];
    merged[key] = isTree(below) && isTree(value) ? overlay(below, value) : value;
  }
  return merged;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const where = path ? `${path}.` : '';
    return issue.keys
      .map((key) => `${where}${key}: there is no such setting; config/default.yaml shows them all`)
      .join('\n  ');
  }
  if (issue.code === 'invalid_key') return `${path}: ${issue.issues[0]?.message ?? issue.message}`;
  return `${path}: ${issue.message}`;
}

/** What only shows when settings are seen together. */
function crossCheck(config: FillsafeConfig): string[] {
  const problems: string[] = [];
  const { wait_for, timeout_ms } = config.redis.replicas;
  for (const [name, venue] of Object.entries(config.venues)) {
    const sendWithinMs = venue.send_within_ms ?? config.venue_defaults.send_within_ms;
    if (wait_for > 0 && 2 * timeout_ms >= sendWithinMs) {
      problems.push(
        `redis.replicas.timeout_ms: ${timeout_ms} is too long: replicas are waited for twice, and an order for ${name} must ` +
          `leave within ${sendWithinMs} ms (send_within_ms) of asking for its claim`,
      );
    }
  }
  for (const jobType of Object.keys(config.retry.policy)) {
    const policy = jobPolicy(config, jobType);
    const needed = policy.schedule_to_close_seconds + 3_600;
    if (config.retry.redis.ttl_seconds < needed) {
      problems.push(
        `retry.redis.ttl_seconds: ${config.retry.redis.ttl_seconds} is too short: retry.policy.${jobType}.schedule_to_close_seconds ` +
          `is ${policy.schedule_to_close_seconds}, and the record of such a job must outlive it by an hour, so at least ${needed}`,
      );
    }
    // What people define asks no venue's adapter.
    for (const [name, venue] of isJobType(jobType) ? Object.entries(config.venues) : []) {
      const timeoutMs = venue.timeout_ms ?? config.venue_defaults.timeout_ms;
      if (policy.start_to_close_seconds * 1_000 < timeoutMs + 2_000) {
        problems.push(
          `retry.policy.${jobType}.start_to_close_seconds: ${policy.start_to_close_seconds} is too short: ` +
            `venues.${name}.timeout_ms is ${timeoutMs}, so at least ${Math.ceil(timeoutMs / 1_000) + 2}`,
        );
      }
    }
  }
  return problems;
}
