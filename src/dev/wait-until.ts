import { setTimeout as sleep } from 'node:timers/promises';

/** Asks every `everyMs` until the answer is true. Resolves false when `timeoutMs` have passed first. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  { timeoutMs, everyMs = 50 }: { timeoutMs: number; everyMs?: number },
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadline) return false;
    await sleep(everyMs);
  }
}
