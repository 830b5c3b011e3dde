import pino from 'pino';
import { waitUntil } from '../../../src/dev/wait-until';
import { Outbox } from '../../../src/guard/outbox';
import { StoreUnavailableError } from '../../../src/redis/client';

const log = pino({ enabled: false });
const away = (why = 'away'): Error => new StoreUnavailableError('settle', new Error(why));

describe('the outbox of settlements', () => {
  it('tries until each has arrived, and then no more', async () => {
    const outbox = new Outbox(log, 3_600_000);
    let isAway = true;
    let arrived = 0;
    const settle = (): Promise<void> => (isAway ? Promise.reject(away()) : Promise.resolve(void (arrived += 1)));
    outbox.add(settle);
    outbox.add(() => settle());
    expect(await outbox.flush()).toBe(2);
    isAway = false;
    expect(await outbox.flush()).toBe(0);
    expect(outbox.size).toBe(0);
    await outbox.flush();
    expect(arrived).toBe(2);
  });

  it('tries by itself', async () => {
    const outbox = new Outbox(log, 5);
    let tries = 0;
    outbox.add(() => ((tries += 1) < 3 ? Promise.reject(away()) : Promise.resolve()));
    expect(await waitUntil(() => Promise.resolve(outbox.size === 0), { timeoutMs: 5_000, everyMs: 5 })).toBe(true);
    expect(tries).toBe(3);
  });

  it('lets no settlement that Redis always refuses hold up the others', async () => {
    const outbox = new Outbox(log, 3_600_000);
    let arrived = 0;
    outbox.add(() => Promise.reject(away('OOM command not allowed')));
    outbox.add(() => Promise.resolve(void (arrived += 1)));
    expect(await outbox.flush()).toBe(1);
    expect(arrived).toBe(1);
  });

  it('gives up what no trying again would bring in, instead of trying for ever', async () => {
    const outbox = new Outbox(log, 3_600_000);
    outbox.add(() => Promise.reject(new Error('settle.lua answered nonsense')));
    expect(await outbox.flush()).toBe(0);
  });
});
