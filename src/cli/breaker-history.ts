import { firstBrokenRow, type AuditRow, type BrokenRow } from '../breaker/control/audit';
import { venuesOf } from '../breaker/control/places';
import { parseScope } from '../breaker/scope';
import type { BreakerControl } from '../client/breaker-control';
import { FillsafeClient } from '../client/client';
import { openGuard } from '../client/open-guard';
import type { FillsafeConfig } from '../config/schema';
import { usage } from './breaker-order';
import { EXIT } from './exit-codes';
import { duration, print, printJson } from './output';
import { laneVenues } from './reconcile';
import { table } from './table';

/** The rows of a scope as each venue has them to which its orders are written. */
type Chains = Map<string, AuditRow[]>;

interface Verdict {
  verified: boolean;
  broken: (BrokenRow & { venue: string }) | null;
  /** Whether there was a control workflow to compare them with. */
  compared: boolean;
}

/** What the audit says of a scope, as Redis has it; `verify` compares it with itself and with the control workflow. */
export async function breakerHistory(
  config: FillsafeConfig,
  text: string,
  { verify = false, json = false }: { verify?: boolean; json?: boolean },
): Promise<void> {
  const scope = usage(() => parseScope(text));
  const client = await FillsafeClient.connect(config);
  try {
    const control = usage(() => client.breaker(text));
    const { guard, close } = await openGuard(config);
    try {
      const lane = laneVenues(config);
      const venues = venuesOf(scope, lane);
      const read = async (): Promise<Chains> =>
        new Map(
          await Promise.all(venues.map(async (venue) => [venue, await guard.breakers.audit(venue, text)] as const)),
        );
      const { chains, verdict } = verify ? await verified(control, read) : { chains: await read(), verdict: undefined };
      const rows = [...chains.values()].reduce((most, each) => (each.length > most.length ? each : most), []);
      if (json) {
        await printJson({ scope: text, rows, ...verdict });
      } else {
        await print(rows.length === 0 ? `nobody has ordered anything of ${text}` : inTable(rows));
        if (verdict) await print(`\n${inWords(rows, verdict)}`);
      }
      if (verdict?.verified === false) process.exitCode = EXIT.FAILED;
    } finally {
      close();
    }
  } finally {
    await client.close();
  }
}

/** Orders may be given meanwhile: what Redis had before must be there, and what nobody had ordered after must not. */
async function verified(
  control: BreakerControl,
  read: () => Promise<Chains>,
): Promise<{ chains: Chains; verdict: Verdict }> {
  const before = await control.history();
  const chains = await read();
  const after = await control.history();
  const known = before && after && { ...after, projected: before.projected };
  const broken = [...chains].flatMap(([venue, rows]) => {
    const row = firstBrokenRow(rows, known);
    return row ? [{ ...row, venue }] : [];
  });
  return { chains, verdict: { verified: broken.length === 0, broken: broken[0] ?? null, compared: Boolean(known) } };
}

function inWords(rows: readonly AuditRow[], { broken, compared }: Verdict): string {
  if (broken) {
    const row = rows.find(({ number }) => number === broken.number);
    const what = row ? ` (${row.action} by ${row.actor}, ${row.at})` : '';
    return `the audit at ${broken.venue} was TAMPERED WITH: row ${broken.number}${what}: ${broken.problem}`;
  }
  const [first] = rows;
  const last = rows.at(-1);
  const alone = compared ? '' : '; there is no control workflow to compare it with';
  if (!first || !last) return `there is no row to check${alone}`;
  const from = first.number === 1 ? '' : ` from row ${first.number} on: what was before it is no longer kept`;
  return `the chain of ${rows.length} rows holds${from}; the last hash is ${last.hash}${alone}`;
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
