import { createHmac } from 'node:crypto';

export type QueryParams = Record<string, string | number | undefined>;

/**
 * Parameters as a query string, in the given order, without those that are undefined. Everything but letters, digits and
 * `-_.~` is percent-encoded: the URL parser would still rewrite `'`, and the signature holds for the exact bytes.
 */
export function toQuery(params: QueryParams): string {
  return Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&');
}

/** The query with its HMAC-SHA-256 signature as last parameter. */
export function signQuery(query: string, apiSecret: string): string {
  return `${query}&signature=${createHmac('sha256', apiSecret).update(query).digest('hex')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
