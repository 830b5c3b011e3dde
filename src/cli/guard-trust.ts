import type { FillsafeConfig } from '../config/schema';
import { openGuard } from '../client/open-guard';
import { EXIT } from './exit-codes';
import { print, printJson } from './output';
import { UsageError } from './usage-error';

/** A person vouches for what Redis holds of a venue: acts there leave again without being looked up first. */
export async function trustStore(
  config: FillsafeConfig,
  venue: string,
  { actor, reason, json = false }: { actor: string; reason: string; json?: boolean },
): Promise<void> {
  if (reason.trim() === '') throw new UsageError('--reason: empty; the reason is kept in the audit');
  const store = await openGuard(config);
  try {
    const trusted = await store.guard.store.trust(venue, { actor, reason: reason.trim() });
    if (json) await printJson({ venue, trusted, actor, reason });
    else if (trusted) await print(`${venue}: ${actor} vouches for its records (${reason}), kept in the audit`);
    else {
      process.stderr.write(`fillsafe: ${venue}: Redis holds nothing of it yet: no worker has started there\n`);
    }
    if (!trusted) process.exitCode = EXIT.FAILED;
  } finally {
    store.close();
  }
}
