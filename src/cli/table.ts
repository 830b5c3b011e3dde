const GAP = '  ';

/** Aligned columns under their names; the last column is not padded. Cells are cut at `widest` characters (default 72). */
export function table(names: readonly string[], rows: readonly (readonly string[])[], { widest = 72 } = {}): string {
  const cut = (cell: string): string => {
    const flat = cell.replace(/\s+/g, ' ');
    return flat.length > widest ? `${flat.slice(0, widest - 1)}…` : flat;
  };
  const last = names.length - 1;
  const cells = [names, ...rows].map((row) => names.map((_, i) => (i === last ? (row[i] ?? '') : cut(row[i] ?? ''))));
  const widths = names.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, i) => (i === last ? cell : cell.padEnd(widths[i] ?? 0)))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values one below the other. */
export function facts(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}
