import { createHmac } from 'node:crypto';
import type { VenueClock } from '../../../../src/venues/paper/clock';
import { loadPaperConfig, parsePaperConfig, type PaperVenueConfig } from '../../../../src/venues/paper/config';

export interface Reply {
  status: number;
  json: Record<string, unknown>;
  headers: Headers;
}

/** A clock that stands still until a test moves it; timers run in order as their time passes. */
export class ManualClock implements VenueClock {
  private timers: { at: number; everyMs?: number; run: () => void }[] = [];

  constructor(private time = 1_700_000_000_000) {}

  now(): number {
    return this.time;
  }

  every(ms: number, run: () => void): () => void {
    return this.start({ at: this.time + ms, everyMs: ms, run });
  }

  after(ms: number, run: () => void): () => void {
    return this.start({ at: this.time + ms, run });
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      if (!next) break;
      this.time = next.at;
      if (next.everyMs === undefined) this.timers = this.timers.filter((timer) => timer !== next);
      else next.at += next.everyMs;
      next.run();
    }
    this.time = end;
  }

  private start(timer: { at: number; everyMs?: number; run: () => void }): () => void {
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
}

/** The demo's settings with the market nailed to `initial_price`: what fills and what rests is then plain from the price. */
export function stillConfig(overrides: Partial<PaperVenueConfig> = {}): PaperVenueConfig {
  const base = loadPaperConfig();
  const walk = { ...base.walk, step_bps: 1, range_bps: 1, follow_percent: 0, partial_probability: 0 };
  return parsePaperConfig({ ...base, walk, ...overrides });
}

/** Signs and sends requests as a client of Binance does. */
export class PaperClient {
  constructor(
    private readonly url: string,
    private readonly clock: { now(): number },
    private readonly keys = { key: 'paper-key', secret: 'paper-secret' },
  ) {}

  async signed(method: string, path: string, fields: Record<string, string | number> = {}): Promise<Reply> {
    const query = new URLSearchParams({ timestamp: String(this.clock.now()) });
    for (const [name, value] of Object.entries(fields)) query.set(name, String(value));
    const signature = createHmac('sha256', this.keys.secret).update(query.toString()).digest('hex');
    return this.send(method, `${path}?${query.toString()}&signature=${signature}`);
  }

  async send(method: string, pathAndQuery: string, { body, headers = {} }: SendOptions = {}): Promise<Reply> {
    const init: RequestInit = { method, headers: { 'X-MBX-APIKEY': this.keys.key, ...headers } };
    if (body !== undefined) init.body = body;
    const response = await fetch(this.url + pathAndQuery, init);
    return { status: response.status, headers: response.headers, json: (await response.json()) as Reply['json'] };
  }

  place(fields: Record<string, string | number>): Promise<Reply> {
    return this.signed('POST', '/api/v3/order', fields);
  }

  limit(side: 'BUY' | 'SELL', price: string, fields: Record<string, string | number> = {}): Promise<Reply> {
    return this.place({ symbol: 'XRPETH', side, type: 'LIMIT', timeInForce: 'GTC', quantity: '23', price, ...fields });
  }

  find(clientOrderId: string): Promise<Reply> {
    return this.signed('GET', '/api/v3/order', { symbol: 'XRPETH', origClientOrderId: clientOrderId });
  }

  cancel(clientOrderId: string): Promise<Reply> {
    return this.signed('DELETE', '/api/v3/order', { symbol: 'XRPETH', origClientOrderId: clientOrderId });
  }

  async balance(asset: string): Promise<{ free: string; locked: string }> {
    const { json } = await this.signed('GET', '/api/v3/account');
    const balances = json.balances as { asset: string; free: string; locked: string }[];
    const found = balances.find((balance) => balance.asset === asset);
    if (!found) throw new Error(`the account has no ${asset}`);
    return { free: found.free, locked: found.locked };
  }

  async addFault(fault: unknown): Promise<void> {
    const reply = await this.send('POST', '/admin/faults', { body: JSON.stringify(fault) });
    if (reply.status !== 201) throw new Error(JSON.stringify(reply.json));
  }

  async truth(clientOrderId?: string): Promise<Reply['json']> {
    return (await this.send('GET', clientOrderId === undefined ? '/truth' : `/truth/${clientOrderId}`)).json;
  }
}

interface SendOptions {
  body?: string;
  headers?: Record<string, string>;
}
