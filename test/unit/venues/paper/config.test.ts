import { loadPaperConfig, parsePaperConfig } from '../../../../src/venues/paper/config';

const valid = loadPaperConfig();

describe('the configuration of the paper venue', () => {
  it.each<[string, object, string]>([
    ['an amount that is a number', { commission: 0.001 }, 'commission'],
    ['an unknown setting', { comission: '0.001' }, 'comission'],
    ['a key for an account that is not there', { accounts: {} }, 'add "main" to accounts'],
    ['no symbol', { symbols: [] }, 'symbols'],
  ])('is refused with %s, naming it', (_, change, named) => {
    expect(() => parsePaperConfig({ ...valid, ...change })).toThrow(named);
  });
});
