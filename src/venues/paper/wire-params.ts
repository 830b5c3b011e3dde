import type { DecimalString } from '../../domain/decimal';
import { canonicalDecimal } from '../../domain/decimal';
import { WireError, illegalCharacters, missingParameter } from './wire-error';

const AMOUNT = /^[0-9]{1,20}(\.[0-9]{1,20})?$/;
const AMOUNT_RANGE = '^([0-9]{1,20})(\\.[0-9]{1,20})?$';
const LONG = /^[0-9]{1,16}$/;
const LONG_RANGE = '^[0-9]{1,20}$';
const CLIENT_ID = /^[a-zA-Z0-9-_]{1,36}$/;
const CLIENT_ID_RANGE = '^[a-zA-Z0-9-_]{1,36}$';

/** Parameters of one request, of query string and body together; knows which ones were read. */
export class WireParams {
  private readonly values = new Map<string, string>();
  private readonly read = new Set<string>();

  /** Throws -1101 for a name given twice. A name in both places takes the query string's value. */
  constructor(query: string, body: string) {
    for (const part of [query, body]) {
      const names = new Set<string>();
      for (const [name, value] of new URLSearchParams(part)) {
        if (names.has(name)) throw new WireError(-1101, 'Duplicate values for a parameter detected.');
        names.add(name);
        if (!this.values.has(name)) this.values.set(name, value);
      }
    }
  }

  /** Undefined when not sent. Throws -1105 when sent empty. */
  text(name: string): string | undefined {
    this.read.add(name);
    const value = this.values.get(name);
    if (value === '') throw new WireError(-1105, `Parameter '${name}' was empty.`);
    return value;
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw missingParameter(name);
    return value;
  }

  /** A non-negative amount, without trailing zeros. */
  amount(name: string): DecimalString | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!AMOUNT.test(value)) throw illegalCharacters(name, AMOUNT_RANGE);
    return canonicalDecimal(value.replace(/^0+(?=\d)/, ''));
  }

  long(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!LONG.test(value)) throw illegalCharacters(name, LONG_RANGE);
    return Number(value);
  }

  clientId(name: string): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !CLIENT_ID.test(value)) throw illegalCharacters(name, CLIENT_ID_RANGE);
    return value;
  }

  /** Throws -1104 when the request carries a parameter that its endpoint does not know. */
  assertAllRead(): void {
    const known = [...this.values.keys()].filter((name) => this.read.has(name)).length;
    if (known === this.values.size) return;
    throw new WireError(
      -1104,
      `Not all sent parameters were read; read '${known}' parameter(s) but was sent '${this.values.size}'.`,
    );
  }
}
