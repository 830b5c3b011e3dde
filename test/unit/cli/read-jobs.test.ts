import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobSource, type JobRow } from '../../../src/cli/read-jobs';

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'fillsafe-rows-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function rowsOf(name: string, text: string): Promise<JobRow[]> {
  writeFileSync(join(dir, name), text);
  const rows: JobRow[] = [];
  for await (const row of jobSource({ file: join(dir, name), jobType: 'order.place' }).rows()) rows.push(row);
  return rows;
}

describe('CSV', () => {
  it('gives every value as a string, leaves empty ones out and counts lines as an editor does', async () => {
    const text = '\uFEFFintentId,quantity,price\r\nt-1, 10.3734 ,0.00009640\r\n\r\n"t,2",,007\r\n';
    await expect(rowsOf('a.csv', text)).resolves.toEqual([
      { line: 2, input: { intentId: 't-1', quantity: '10.3734', price: '0.00009640' } },
      { line: 4, input: { intentId: 't,2', price: '007' } },
    ]);
  });

  it('names every column that is no field, and one that is there twice', async () => {
    await expect(rowsOf('b.csv', 'intentId,qty,Price\n')).rejects.toThrow(
      /qty: there is no such field.*Price: there is/,
    );
    await expect(rowsOf('c.csv', 'intentId,price,price\n')).rejects.toThrow('column "price" is there twice');
  });

  it('tells a row with too many values instead of shifting them', async () => {
    const rows = await rowsOf('d.csv', 'intentId,price\nt-1,1,2\nt-2,3\n');
    expect(rows).toEqual([
      { line: 2, problem: 'has 3 values, the header names 2 fields' },
      { line: 3, input: { intentId: 't-2', price: '3' } },
    ]);
  });

  it('goes on after a row whose quotes are broken', async () => {
    const rows = await rowsOf('e.csv', 'intentId,price\nt-1,"1"x\nt-2,3\n');
    expect(rows).toContainEqual({ line: 3, input: { intentId: 't-2', price: '3' } });
    expect(rows.filter((row) => 'problem' in row)).toHaveLength(1);
  });
});

describe('JSON', () => {
  it('reads one object a line and tells a broken line by its number', async () => {
    const rows = await rowsOf('a.jsonl', '{"intentId":"1"}\n\n{broken\n{"intentId":"2"}');
    expect(rows.map(({ line }) => line)).toEqual([1, 3, 4]);
    expect(rows[1]).toMatchObject({ problem: expect.stringContaining('not JSON') as string });
  });

  it('reads an array entry by entry, and a single object', async () => {
    await expect(rowsOf('a.json', '[{"intentId":"1"}, 5]')).resolves.toEqual([
      { line: 1, input: { intentId: '1' } },
      { line: 2, input: 5 },
    ]);
    await expect(rowsOf('b.json', '{\n"intentId": "1"\n}')).resolves.toEqual([{ line: 1, input: { intentId: '1' } }]);
  });
});

describe('where jobs come from', () => {
  it('asks for exactly one source', () => {
    expect(() => jobSource({ jobType: 'order.place' })).toThrow('exactly one of --input');
    expect(() => jobSource({ jobType: 'order.place', input: '{}', file: 'a.csv' })).toThrow('exactly one of --input');
  });

  it('refuses files of another kind and files that are not there', () => {
    expect(() => jobSource({ jobType: 'order.place', file: 'orders.xlsx' })).toThrow('.json, .jsonl or .csv');
    expect(() => jobSource({ jobType: 'order.place', file: join(dir, 'none.csv') })).toThrow('is not there');
  });

  it('tells how many jobs a file holds before they are read, with or without a last line break', async () => {
    await rowsOf('size.csv', 'intentId,price\nt-1,1\nt-2,1');
    await rowsOf('size.jsonl', '{}\n{}\n');
    const sizeOf = (name: string) => jobSource({ jobType: 'order.place', file: join(dir, name) }).size();
    await expect(sizeOf('size.csv')).resolves.toBe(2);
    await expect(sizeOf('size.jsonl')).resolves.toBe(2);
  });
});
