import fc from 'fast-check';
import { firstBrokenRow, hashOf, nextRow, readRow, type AuditRow } from '../../../../src/breaker/control/audit';
import { ACTIONS } from '../../../../src/breaker/control/request';

/** A chain of `count` orders, as a control workflow makes it. */
function chain(count: number, from = { number: 0, hash: '' }): AuditRow[] {
  const rows: AuditRow[] = [];
  for (let i = 0; i < count; i++) {
    const action = ACTIONS[i % ACTIONS.length]!;
    const forSeconds = action === 'open' || action === 'close' ? { forSeconds: 60 + i } : {};
    const request = {
      action,
      reason: `reason ${i}`,
      actor: 'ann',
      ...forSeconds,
      ...(i % 3 ? {} : { ticket: `T-${i}` }),
    };
    rows.push(nextRow('paper', rows.at(-1) ?? from, request, new Date(i * 1_000).toISOString()));
  }
  return rows;
}

const sealed = (row: AuditRow): AuditRow => ({ ...row, hash: hashOf(row) });
/** From the row at `at` on everything is made anew, as somebody would who knows how. */
function resealed(rows: AuditRow[], at: number, change: Partial<AuditRow>): AuditRow[] {
  const made = rows.slice(0, at);
  for (const [i, row] of rows.slice(at).entries())
    made.push(sealed({ ...row, ...(i === 0 ? change : {}), previous: made.at(-1)?.hash ?? '' }));
  return made;
}
const knownOf = (rows: AuditRow[], kept = 50) => ({
  rows: rows.slice(-kept),
  number: rows.length,
  projected: rows.length,
});

/** One change of one row, by somebody who does not trouble with hashes. */
const clumsy: Record<string, (row: AuditRow) => AuditRow> = {
  scope: (row) => ({ ...row, scope: 'other' }),
  number: (row) => ({ ...row, number: row.number + 1_000 }),
  at: (row) => ({ ...row, at: '2001-01-01T00:00:00.000Z' }),
  action: (row) => ({ ...row, action: row.action === 'auto' ? 'kill' : 'auto' }),
  actor: (row) => ({ ...row, actor: 'bob' }),
  reason: (row) => ({ ...row, reason: `${row.reason} ` }),
  forSeconds: (row) => ({ ...row, forSeconds: (row.forSeconds ?? 0) + 1 }),
  ticket: (row) => ({ ...row, ticket: row.ticket === null ? 'T' : null }),
  previous: (row) => ({ ...row, previous: 'ab'.repeat(32) }),
  hash: (row) => ({ ...row, hash: 'ab'.repeat(32) }),
};

const SOME = fc
  .record({ count: fc.integer({ min: 2, max: 25 }), at: fc.nat(), other: fc.nat() })
  .map(({ count, at, other }) => ({ rows: chain(count), i: at % count, j: other % count }));

describe('the chain of an audit', () => {
  it('holds where nobody touched it, from its first row or from a later one on', () => {
    const rows = chain(60);
    expect(firstBrokenRow([])).toBeUndefined();
    expect(firstBrokenRow(rows)).toBeUndefined();
    expect(firstBrokenRow(rows, knownOf(rows))).toBeUndefined();
    expect(firstBrokenRow(rows.slice(30), knownOf(rows, 20))).toBeUndefined();
  });

  it('names the row of any single change, known to the control workflow or not', () => {
    const any = fc.record({ what: fc.constantFrom(...Object.keys(clumsy)), isKnown: fc.boolean() });
    fc.assert(
      fc.property(SOME, any, ({ rows, i }, { what, isKnown }) => {
        const broken = firstBrokenRow(rows.with(i, clumsy[what]!(rows[i]!)), isKnown ? knownOf(rows) : undefined);
        // A row of another number, at an end that nobody knows, leaves no gap behind: it is named as it calls itself.
        const isAtEnd = i === 0 || i === rows.length - 1;
        expect(broken?.number).toBe(i + 1 + (what === 'number' && isAtEnd && !isKnown ? 1_000 : 0));
      }),
      { numRuns: 400 },
    );
  });

  it('names the first of the rows that were taken out, cut off, put in, put elsewhere or put there twice', () => {
    fc.assert(
      fc.property(SOME, ({ rows, i, j }) => {
        const named = (changed: AuditRow[]) => firstBrokenRow(changed, knownOf(rows))?.number;
        const order = { action: 'unkill', actor: 'eve', reason: 'nothing' } as const;
        const forged = nextRow('paper', rows[i - 1] ?? { number: 0, hash: '' }, order, 'now');
        expect(named(rows.toSpliced(i, 1))).toBe(i + 1);
        expect(named(rows.slice(0, i))).toBe(i + 1);
        expect(named(rows.toSpliced(i, 0, forged))).toBe(i + 1);
        expect(named(rows.with(i, forged))).toBe(i + 1);
        expect(named([...rows, nextRow('paper', rows.at(-1)!, order, 'now')])).toBe(rows.length + 1);
        expect(named(rows.toSpliced(j, 0, rows[i]!))).toBe(Math.min(i, j) + 1);
        if (i !== j) expect(named(rows.with(i, rows[j]!).with(j, rows[i]!))).toBe(Math.min(i, j) + 1);
      }),
      { numRuns: 150 },
    );
  });

  it('names the row from which on all were made anew, as the control workflow has kept them', () => {
    fc.assert(
      fc.property(SOME, fc.constantFrom('at', 'actor', 'reason'), ({ rows, i }, what) => {
        const forged = resealed(rows, i, { [what]: 'forged' });
        expect(firstBrokenRow(forged)).toBeUndefined();
        expect(firstBrokenRow(forged, knownOf(rows))).toMatchObject({ number: i + 1 });
        // One row alone made anew no longer fits the one after it.
        const one = rows.with(i, forged[i]!);
        expect(firstBrokenRow(one, knownOf(rows))).toMatchObject({ number: i + 1 });
        expect(firstBrokenRow(one)?.number).toBe(i === rows.length - 1 ? undefined : i + 2);
      }),
      { numRuns: 150 },
    );
  });

  it('tells rows that the control workflow keeps no more from those that it keeps', () => {
    const rows = chain(60);
    expect(firstBrokenRow(resealed(rows, 10, { actor: 'eve' }), knownOf(rows, 50))).toEqual({
      number: 11,
      problem: 'its control workflow has another one in its place',
    });
    for (const at of [3, 9])
      expect(firstBrokenRow(resealed(rows, at, { actor: 'eve' }), knownOf(rows, 50))).toEqual({
        number: 10,
        problem: 'it or a row before it is another one than its control workflow went on from',
      });
    // Only those made anew, and the rows that are kept left as they are: their first one no longer fits.
    const early = [...resealed(rows, 3, { actor: 'eve' }).slice(0, 10), ...rows.slice(10)];
    expect(firstBrokenRow(early, knownOf(rows, 50))).toMatchObject({ number: 10 });
  });

  it('misses no row that is only on its way to Redis, and takes none for forged', () => {
    const rows = chain(5);
    expect(firstBrokenRow(rows.slice(0, 3), { ...knownOf(rows), projected: 3 })).toBeUndefined();
    expect(firstBrokenRow(rows.slice(0, 3), { ...knownOf(rows), projected: 4 })).toMatchObject({ number: 4 });
  });

  it('goes on over numbers that were never given, and not over a row that was taken out', () => {
    const rows = chain(4);
    const after = nextRow(
      'paper',
      { number: 9, hash: rows[3]!.hash },
      { action: 'auto', actor: 'ann', reason: 'x' },
      'now',
    );
    expect(firstBrokenRow([...rows, after])).toBeUndefined();
    expect(
      firstBrokenRow([...rows, after, nextRow('paper', after, { ...after, ticket: 'T', forSeconds: 1 }, 'now')]),
    ).toBeUndefined();
    expect(firstBrokenRow([...rows.slice(0, 3), after])).toMatchObject({ number: 4 });
  });

  it('does not begin anew under a row that was made for it', () => {
    const [, second] = chain(2);
    expect(firstBrokenRow([sealed({ ...second!, number: 1 })])).toMatchObject({ number: 1 });
  });
});

describe('a row of the stream', () => {
  const [row] = chain(1);

  it('is read as it was written', () => {
    expect(readRow(JSON.stringify(row))).toEqual(row);
  });

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['no object', '5'],
    ['nothing', 'null'],
    ['a field too many', { ...row, note: 'x' }],
    ['a field too few', { ...row, ticket: undefined }],
    ['a text that is a number', { ...row, actor: 5 }],
    ['a number that is a text', { ...row, number: '1' }],
    ['an action that there is not', { ...row, action: 'shut' }],
  ])('is none where it is %s', (_what, raw) => {
    expect(readRow(typeof raw === 'string' ? raw : JSON.stringify(raw))).toBeUndefined();
  });
});
