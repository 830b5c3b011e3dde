import { checkStores } from '../../src/cli/doctor-stores';
import { openGuard } from '../../src/client/open-guard';
import { loadConfig } from '../../src/config/load';
import { startTestRedis, type TestRedis } from '../support/redis';

describe('what doctor tells of the claims in Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterAll(() => server.stop());

  const venue = { adapter: 'paper', base_url: 'http://127.0.0.1:1', api_key: 'k', api_secret: 's' };
  const config = (namespace: string) =>
    loadConfig({
      env: {},
      flags: { redis: { url: server.url }, venues: { paper: venue }, retry: { redis: { namespace } } },
    });

  it('is nothing of the books where no effect was ever there', async () => {
    expect(await checkStores(config(server.namespace()))).toEqual([
      { state: 'ok', what: 'claims', found: 'paper: none yet, no worker has started there' },
    ]);
  });

  it('is a suspicion at any venue, and of what concerns none, with what ends it', async () => {
    const suspected = config(server.namespace());
    const { guard, close } = await openGuard(suspected);
    await guard.store.open('paper', { quiesceMs: 18_000, neverUsed: true });
    await guard.store.open('books', { quiesceMs: 18_000 });
    close();
    expect(await checkStores(suspected)).toEqual([
      { state: 'ok', what: 'claims', found: 'paper: complete, as far as workers have seen' },
      {
        state: 'warn',
        what: 'claims',
        found: expect.stringContaining('books: Redis has lost its data; every act is looked up before it leaves'),
        todo: expect.stringContaining('`fillsafe guard trust books`'),
      },
    ]);
  });
});
