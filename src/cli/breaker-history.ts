import { firstBrokenRow, firstForeignRow, type AuditRow, type BrokenRow } from '../breaker/control/audit';
import { ALL, parseScope } from '../breaker/scope';
import { FillsafeClient } from '../client/client';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { usage } from './breaker-order';
import { EXIT } from './exit-codes';
import { duration, print, printJson } from './output';
import { laneVenues } from './reconcile';
import { table } from './table';

/** What the audit says of a scope, as Redis has it; `verify` compares it with itself and with the control workflow. */
export async function breakerHistory(
  config: FillsafeConfig,
  text: string,
  { verify = false, json = false }: { verify?: boolean; json?: boolean },
): Promise<void> {
  const scope = usage(() => parseScope(text));
  const client = await FillsafeClient.connect(config);
  const store = await openGuard(config);
  try {
    const control = usage(() => client.breaker(text));
    const known = await control.history();
    // An order to all is written at each venue.
    const venues = scope.venue === ALL ? laneVenues(config) : [scope.venue];
    const chains = new Map<string, AuditRow[]>();
    for (const venue of venues) chains.set(venue, await store.guard.breakers.audit(venue, text));
    const rows = [...chains.values()].reduce((most, each) => (each.length > most.length ? each : most), []);
    const broken = verify ? firstBroken(chains, known) : undefined;
    if (json) {
      await printJson({
        scope: text,
        rows,
        ...(verify ? { verified: broken === undefined, broken: broken ?? null } : {}),
      });
    } else {
      await print(rows.length === 0 ? `nobody has ordered anything of ${text}` : inTable(rows));
      if (verify) await print(`\n${verdict(rows, broken)}`);
    }
    if (broken) process.exitCode = EXIT.FAILED;
  } finally {
    store.close();
    await client.close();
  }
}

type Broken = BrokenRow & { venue: string };

function firstBroken(
  chains: Map<string, AuditRow[]>,
  known: { rows: AuditRow[]; number: number } | undefined,
): Broken | undefined {
  for (const [venue, rows] of chains) {
    const broken = firstBrokenRow(rows) ?? (known && firstForeignRow(rows, known));
    if (broken) return { ...broken, venue };
  }
  return undefined;
}

function verdict(rows: readonly AuditRow[], broken: Broken | undefined): string {
  if (broken) {
    const row = rows.find(({ number }) => number === broken.number);
    const what = row ? ` (${row.action} by ${row.actor}, ${row.at})` : '';
    return `the audit at ${broken.venue} was TAMPERED WITH: row ${broken.number}${what}: ${broken.problem}`;
  }
  const [first] = rows;
  const last = rows.at(-1);
  if (!first || !last) return 'there is no row to check, and the control workflow has none either';
  const from = first.number === 1 ? '' : ` from row ${first.number} on: what was before it is no longer kept`;
  return `the chain of ${rows.length} rows holds${from}; the last hash is ${last.hash}`;
}

function inTable(rows: readonly AuditRow[]): string {
  return table(
    ['row', 'at', 'order', 'for', 'by', 'ticket', 'hash', 'reason'],
    rows.map(({ number, at, action, forSeconds, actor, ticket, hash, reason }) => [
      ...[String(number), at, action, forSeconds === null ? '' : duration(forSeconds * 1_000)],
      ...[actor, ticket ?? '', hash.slice(0, 12), reason],
    ]),
  );
}
