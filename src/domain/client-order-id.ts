import { createHash } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The venue's client order id of an intent: `fs` + 16 characters of base32(SHA-256(namespace, venue, account, intentId)),
 * lower case. It is the same for ever, so that any worker can ask the venue for the order, and short enough for all venues.
 */
export function clientOrderIdOf(intent: {
  namespace: string;
  venue: string;
  account?: string | undefined;
  intentId: string;
}): string {
  const parts = [intent.namespace, intent.venue, intent.account ?? '', intent.intentId];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  let id = 'fs';
  for (let bit = 0; bit < 80; bit += 5) {
    const pair = digest.readUInt16BE(bit >> 3);
    id += ALPHABET.charAt((pair >> (11 - (bit & 7))) & 31);
  }
  return id;
}
