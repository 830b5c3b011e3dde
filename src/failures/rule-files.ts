import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { packageRoot } from '../package-root';
import type { FailureInput } from './categories';
import { compileMatch } from './rule-match';
import { ruleFileSchema, type Rule } from './rule-schema';

export interface CompiledRule extends Rule {
  /** `<file>/<rule>`, as verdicts name it. */
  name: string;
  matches: (failure: FailureInput) => boolean;
}

/** The rules to try, in order, for an exchange and market: of an unknown one, the rules that hold for all. */
export type RuleBook = (exchange: string, market: string) => readonly CompiledRule[];

/**
 * Reads and checks all rule files of a folder (default: the package's `config/failure-rules`).
 * Throws an error that names file and rule for anything that does not fit.
 */
export function loadRuleBook({ folder = join(packageRoot, 'config', 'failure-rules') } = {}): RuleBook {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort();
  const files = new Map(names.map((file) => [file, readRuleFile(folder, file)]));
  const first = takeCommon(files, 'transport.yaml', folder);
  const last = takeCommon(files, 'fall-through.yaml', folder);
  if (last.at(-1) === undefined || Object.keys(last.at(-1)?.match ?? {}).length > 0) {
    throw new Error(`${join(folder, 'fall-through.yaml')}: the last rule must match everything: give it "match: {}"`);
  }

  const byMarket = new Map<string, CompiledRule[]>();
  // The file with the fewest markets knows best, so its rules come before those that markets share.
  const venueFiles = [...files].sort(([, left], [, right]) => left.markets.length - right.markets.length);
  for (const [file, { exchange, markets, rules }] of venueFiles) {
    if (exchange === undefined || markets.length === 0) {
      throw new Error(`${join(folder, file)}: exchange and markets are required: name the exchange and its markets`);
    }
    for (const market of markets) {
      const key = `${exchange}/${market}`;
      byMarket.set(key, [...(byMarket.get(key) ?? []), ...rules]);
    }
  }
  for (const [key, rules] of byMarket) byMarket.set(key, [...first, ...rules, ...last]);
  const forAll = [...first, ...last];
  return (exchange, market) => byMarket.get(`${exchange}/${market}`) ?? forAll;
}

interface RuleFile {
  exchange: string | undefined;
  markets: string[];
  rules: CompiledRule[];
}

function takeCommon(files: Map<string, RuleFile>, file: string, folder: string): CompiledRule[] {
  const found = files.get(file);
  if (found === undefined) throw new Error(`${join(folder, file)} is missing: it holds for all exchanges, restore it`);
  files.delete(file);
  return found.rules;
}

function readRuleFile(folder: string, file: string): RuleFile {
  const path = join(folder, file);
  const content = parseYaml(path);
  const checked = ruleFileSchema.safeParse(content);
  if (!checked.success) throw new Error(`${path}: ${explain(checked.error, content)}`);
  const { exchange, markets = [], rules } = checked.data;
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) throw new Error(`${path}: rule ${id}: the id is used twice: rename one of them`);
    ids.add(id);
  }
  const prefix = file.slice(0, -'.yaml'.length);
  const compiled = rules.map((rule) => ({ ...rule, name: `${prefix}/${rule.id}`, matches: compileMatch(rule.match) }));
  return { exchange, markets, rules: compiled };
}

function parseYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: not readable as YAML: ${(error as Error).message}`, { cause: error });
  }
}

function explain(error: z.ZodError, content: unknown): string {
  const issue = error.issues[0];
  const [list, index, ...field] = issue?.path ?? [];
  if (list !== 'rules' || typeof index !== 'number') return z.prettifyError(error);
  const rule = (content as { rules: { id?: unknown }[] }).rules[index];
  const id = typeof rule?.id === 'string' ? rule.id : `number ${index + 1}`;
  return `rule ${id}: ${field.join('.') || 'rule'}: ${issue?.message}`;
}
