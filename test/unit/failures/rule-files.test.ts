import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadRuleBook } from '../../../src/failures/rule-files';
import { packageRoot } from '../../../src/package-root';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fillsafe-rules-'));
  cpSync(join(packageRoot, 'config', 'failure-rules'), folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
const load = () => loadRuleBook({ folder });

describe('rule files', () => {
  it('are taken in with a new exchange by adding a file', () => {
    write(
      'acme.yaml',
      'exchange: acme\nmarkets: [spot]\nrules:\n  - {id: busy, match: {code: BUSY}, category: UNAVAILABLE}\n',
    );
    const failure = { exchange: 'acme', market: 'spot', operation: 'place', phase: 'response', code: 'BUSY' } as const;
    const rule = load()('acme', 'spot').find(({ matches }) => matches(failure));
    expect(rule?.name).toBe('acme/busy');
    expect(load()('acme', 'usdm').some(({ name }) => name === 'acme/busy')).toBe(false);
  });

  it('let the file with the fewest markets speak first', () => {
    const names = load()('binance', 'usdm').map(({ name }) => name);
    const firstOf = (file: string): number => names.findIndex((name) => name.startsWith(`${file}/`));
    const order = ['transport', 'binance-usdm', 'binance-futures', 'binance-common', 'fall-through'].map(firstOf);
    expect(order).toEqual([...order].sort((left, right) => left - right));
    expect(names.some((name) => name.startsWith('binance-spot/'))).toBe(false);
  });

  it.each([
    ['a category that does not exist', '{id: x, match: {}, category: MAYBE}', /acme\.yaml: rule x: category/],
    ['a field that does not exist', '{id: x, match: {}, category: GONE, retries: 3}', /acme\.yaml: rule x: .*retries/],
    ['a condition that does not exist', '{id: x, match: {status: 4}, category: GONE}', /rule x: match: .*status/],
    [
      'a status class that does not exist',
      '{id: x, match: {httpStatus: 6xx}, category: GONE}',
      /rule x: match\.httpStatus/,
    ],
    ['a range upside down', '{id: x, match: {code: "-1100..-1199"}, category: GONE}', /rule x: match\.code/],
    [
      'an expression that does not compile',
      '{id: x, match: {message: "/(/"}, category: GONE}',
      /rule x: match\.message/,
    ],
    ['a rule without an id', '{match: {}, category: GONE}', /acme\.yaml: rule number 1: id/],
  ])('refuse %s, naming file and rule', (_what, rule, error) => {
    write('acme.yaml', `exchange: acme\nmarkets: [spot]\nrules:\n  - ${rule}\n`);
    expect(load).toThrow(error);
  });

  it('refuse an id that is used twice', () => {
    const rule = '  - {id: same, match: {}, category: GONE}\n';
    write('acme.yaml', `exchange: acme\nmarkets: [spot]\nrules:\n${rule}${rule}`);
    expect(load).toThrow(/acme\.yaml: rule same: the id is used twice/);
  });

  it('refuse a file that names no market, and one that is not YAML', () => {
    write('acme.yaml', 'rules:\n  - {id: x, match: {}, category: GONE}\n');
    expect(load).toThrow(/acme\.yaml: exchange and markets are required/);
    write('acme.yaml', 'rules: [');
    expect(load).toThrow(/acme\.yaml: not readable as YAML/);
  });

  it('refuse to go without a last rule that matches everything', () => {
    write('fall-through.yaml', 'rules:\n  - {id: x, match: {httpStatus: 4xx}, category: INVALID}\n');
    expect(load).toThrow(/fall-through\.yaml: the last rule must match everything/);
  });
});
