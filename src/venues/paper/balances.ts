import type { DecimalString } from '../../domain/decimal';
import { addDecimals, compareDecimals, subtractDecimals } from '../../domain/decimal';

export interface Balance {
  free: DecimalString;
  locked: DecimalString;
}

/** What the accounts own. Amounts are moved by events alone, so that a replay ends with the same balances. */
export class Balances {
  private readonly accounts = new Map<string, Map<string, Balance>>();

  constructor(starting: Record<string, Record<string, DecimalString>>) {
    for (const [account, assets] of Object.entries(starting)) {
      for (const [asset, free] of Object.entries(assets)) this.of(account, asset).free = free;
    }
  }

  hasFree(account: string, asset: string, amount: DecimalString): boolean {
    return compareDecimals(this.of(account, asset).free, amount) >= 0;
  }

  credit(account: string, asset: string, amount: DecimalString): void {
    const balance = this.of(account, asset);
    balance.free = addDecimals(balance.free, amount);
  }

  debit(account: string, asset: string, amount: DecimalString): void {
    const balance = this.of(account, asset);
    balance.free = subtractDecimals(balance.free, amount);
  }

  lock(account: string, asset: string, amount: DecimalString): void {
    const balance = this.of(account, asset);
    balance.free = subtractDecimals(balance.free, amount);
    balance.locked = addDecimals(balance.locked, amount);
  }

  release(account: string, asset: string, amount: DecimalString): void {
    const balance = this.of(account, asset);
    balance.free = addDecimals(balance.free, amount);
    balance.locked = subtractDecimals(balance.locked, amount);
  }

  list(account: string): [asset: string, balance: Balance][] {
    return [...(this.accounts.get(account) ?? [])].sort(([left], [right]) => (left < right ? -1 : 1));
  }

  private of(account: string, asset: string): Balance {
    let assets = this.accounts.get(account);
    if (!assets) this.accounts.set(account, (assets = new Map<string, Balance>()));
    let balance = assets.get(asset);
    if (!balance) assets.set(asset, (balance = { free: '0', locked: '0' }));
    return balance;
  }
}
