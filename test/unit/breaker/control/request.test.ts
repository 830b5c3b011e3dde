import { parseOverrideRequest } from '../../../../src/breaker/control/request';

const GOOD = { action: 'open', reason: 'venue maintenance', actor: 'ann', forSeconds: 900, ticket: 'OPS-1' };

function refusalOf(more: Record<string, unknown>, scope = 'paper'): string {
  try {
    parseOverrideRequest(scope, { ...GOOD, ...more });
    return 'taken';
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
}

describe('an order to a breaker', () => {
  it('is taken as it is given, without the spaces around its texts', () => {
    expect(parseOverrideRequest('paper', GOOD)).toEqual(GOOD);
    expect(parseOverrideRequest('paper', { ...GOOD, reason: '  why \n', actor: ' ann ', ticket: null })).toEqual({
      ...{ action: 'open', reason: 'why', actor: 'ann', forSeconds: 900 },
    });
  });

  it.each([[undefined], [null], ['open'], [[GOOD]], [5]])('is refused where it is no object: %j', (raw) => {
    expect(() => parseOverrideRequest('paper', raw)).toThrow('override: must be one object {action, reason, actor');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an action that there is not', { action: 'opn' }, 'action: "opn" must be one of open, close, auto, kill, unkill'],
    ['no action', { action: undefined }, 'action: missing, must be one of'],
    ['no reason', { reason: undefined }, 'reason: missing, must be a text; say why'],
    ['an empty reason', { reason: '  ' }, 'reason: "  " must be a text'],
    ['a reason that is no text', { reason: { a: 1 } }, 'reason: {"a":1} must be a text'],
    ['a reason that is too long', { reason: 'x'.repeat(501) }, 'reason: has 501 characters, at most 500 are kept'],
    ['no actor', { actor: null }, 'actor: null must be a text; say who orders this'],
    ['an actor that is too long', { actor: 'x'.repeat(101) }, 'actor: has 101 characters, at most 100 are kept'],
    ['a ticket that is no text', { ticket: 7 }, 'ticket: 7 must be a text; leave it out if there is none'],
    ['a ticket that is too long', { ticket: 'x'.repeat(101) }, 'ticket: has 101 characters'],
    ['no time for what must end', { forSeconds: undefined }, 'forSeconds: missing; "open" must end by itself'],
    ['a time that is no number', { forSeconds: '900' }, 'forSeconds: "900" must be a whole number from 1 to 2592000'],
    ['half a second', { forSeconds: 0.5 }, 'forSeconds: 0.5 must be a whole number'],
    ['no time at all', { forSeconds: 0 }, 'forSeconds: 0 must be a whole number'],
    ['more than 30 days', { forSeconds: 2_592_001 }, 'forSeconds: 2592001 must be a whole number'],
    ['a number that JSON has not', { forSeconds: NaN }, 'forSeconds: NaN must be a whole number'],
    ['a number of another kind', { forSeconds: 9n }, 'forSeconds: 9 must be a whole number'],
    ['a field that there is not', { until: 5 }, '"until": unknown; the fields are action, reason, actor, forSeconds'],
  ])('is refused for %s, by a sentence that names the field', (_what, more, sentence) => {
    expect(refusalOf(more)).toMatch(/^override: /);
    expect(refusalOf(more)).toContain(sentence);
  });

  it('tells all that is wrong at once', () => {
    const told = refusalOf({ action: 'shut', reason: '', actor: undefined, forSeconds: 1, x: 1 });
    for (const field of ['"x"', 'action', 'reason', 'actor']) expect(told).toContain(`${field}: `);
  });

  it.each([
    ['a line break', 'one\ntwo'],
    ['a carriage return', 'one\rtwo'],
    ['a tab', 'one\ttwo'],
    ["a terminal's escape", 'one\u001b[2Jtwo'],
    ["a terminal's escape of eight bits", 'one\u009b2Jtwo'],
    ['a line separator', 'one\u2028two'],
    ['text that runs the other way', 'one\u202etwo'],
  ])('is refused for %s in a text', (_what, text) => {
    for (const field of ['reason', 'actor', 'ticket'])
      expect(refusalOf({ [field]: text })).toContain(`${field}: must be one line without control characters`);
  });

  it('may be written in any script, with any signs of it', () => {
    expect(refusalOf({ reason: 'обслуживание 👩‍💻 — 100 % | <b>', actor: 'Åsa Ñ' })).toBe('taken');
  });

  it('needs no time but to open and close; a kill that was given one is taken and has none', () => {
    for (const action of ['auto', 'kill', 'unkill']) {
      expect(refusalOf({ action, forSeconds: undefined })).toBe('taken');
      expect(parseOverrideRequest('paper', { ...GOOD, action })).not.toHaveProperty('forSeconds');
    }
    expect(refusalOf({ action: 'close', forSeconds: undefined })).toContain('"close" must end by itself');
  });

  it('to everything can only be kill and unkill', () => {
    for (const action of ['open', 'close', 'auto'])
      expect(refusalOf({ action }, 'all')).toContain(`name a venue to ${action} it`);
    for (const action of ['kill', 'unkill']) expect(refusalOf({ action }, 'all')).toBe('taken');
  });

  it('is refused in few words, however much is wrong with it', () => {
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, i) => [`${'x'.repeat(500)}${i}`, 'y'.repeat(500)]),
    );
    expect(refusalOf(many).length).toBeLessThan(400);
    expect(refusalOf(many)).toContain('and 4997 more: unknown');
    expect(refusalOf({ action: 'z'.repeat(100_000), reason: ['z'.repeat(100_000)] }).length).toBeLessThan(400);
  });
});
