import { defineEffect, notApplied, refused, type EffectDefinition } from '../../../src/index';

const good = {
  jobType: 'payout.send',
  intentId: (input: { id: string }) => input.id,
  whenUnknown: { onAbsent: 'resend', quiesceMs: 30_000 },
  whenStoreDown: 'refuse',
  lookup: () => Promise.resolve({ kind: 'absent', evidence: 'none' }),
  run: () => Promise.resolve({}),
};

/** Why it is refused, `''` when it is not. What is `undefined` is left out, as JavaScript leaves things out. */
function refusal(over: Record<string, unknown>): string {
  const definition = Object.fromEntries(
    Object.entries({ ...good, ...over }).filter(([, value]) => value !== undefined),
  );
  try {
    defineEffect(definition as unknown as EffectDefinition<{ id: string }>);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
}

describe('an effect is taken', () => {
  test.each([
    ['that looks up', {}],
    ['that a person decides', { whenUnknown: 'manual', lookup: undefined }],
    ['that may be repeated', { whenUnknown: 'repeat', lookup: undefined, whenStoreDown: 'proceed' }],
    ['with numbers of its own', { whenUnknown: { onAbsent: 'fail', quiesceMs: 0, looks: 1, gapMs: 0 } }],
    ['with everything', { parse: (input: unknown) => input, scope: () => 'books', heldByBreaker: false }],
  ])('%s', (_what, over) => {
    expect(refusal(over)).toBe('');
  });
});

describe('an effect that nobody has told what to do in doubt is refused', () => {
  test('without whenUnknown, with the job type and what each choice means', () => {
    const message = refusal({ whenUnknown: undefined });
    expect(message).toMatch(
      /^payout\.send cannot be defined:\n {2}whenUnknown: missing, say what to do when the answer is lost/,
    );
    for (const choice of [
      "{ onAbsent: 'resend', quiesceMs }",
      "{ onAbsent: 'fail', quiesceMs }",
      "'manual'",
      "'repeat'",
    ])
      expect(message).toContain(choice);
    expect(message).toContain('a person decides');
    expect(message).toContain('sent again');
    expect(message).toContain('NOT_EXECUTED');
  });

  test('without whenStoreDown, with what each choice means', () => {
    const message = refusal({ whenStoreDown: undefined });
    expect(message).toContain('whenStoreDown: missing, say what to do while Redis, and with it the guard, is away');
    expect(message).toContain("'refuse'   waits until it is back");
    expect(message).toContain("'proceed'  acts without it");
  });

  test('with both at once: every problem is named in one message', () => {
    const message = refusal({ whenUnknown: undefined, whenStoreDown: undefined, run: undefined });
    for (const field of ['whenUnknown: missing', 'whenStoreDown: missing', 'run: missing'])
      expect(message).toContain(field);
  });
});

describe('an effect is refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['with a policy that is not known', { whenUnknown: 'retry' }, 'whenUnknown: "retry" is not known, say what'],
    ['with null for a policy', { whenUnknown: null }, 'whenUnknown: null is not known'],
    [
      'with an end that is not known',
      { whenUnknown: { onAbsent: 'again', quiesceMs: 1 } },
      'whenUnknown.onAbsent: "again"',
    ],
    ['without an end', { whenUnknown: { quiesceMs: 1 } }, 'whenUnknown.onAbsent: missing'],
    ['without a time of quiescence', { whenUnknown: { onAbsent: 'fail' } }, 'whenUnknown.quiesceMs: missing, must be'],
    ['with half a millisecond', { whenUnknown: { onAbsent: 'fail', quiesceMs: 0.5 } }, 'whenUnknown.quiesceMs: 0.5'],
    ['with no look', { whenUnknown: { onAbsent: 'fail', quiesceMs: 1, looks: 0 } }, 'whenUnknown.looks: 0'],
    ['with a negative gap', { whenUnknown: { onAbsent: 'fail', quiesceMs: 1, gapMs: -1 } }, 'whenUnknown.gapMs: -1'],
    ['without the lookup that its policy needs', { lookup: undefined }, 'lookup: missing, whenUnknown needs it'],
    ['with a lookup that nobody asks', { whenUnknown: 'manual' }, "lookup: whenUnknown: 'manual' would never ask it"],
    ['with a store policy that is not known', { whenStoreDown: 'wait' }, 'whenStoreDown: "wait" is not known'],
    ['without a name for its intents', { intentId: undefined }, 'intentId: missing, must be a function'],
    ['without an act', { run: 'now' }, 'run: missing, must be a function'],
    ['with a scope that is no function', { scope: 'books' }, 'scope: must be a function'],
    ['with a breaker that is neither on nor off', { heldByBreaker: 'yes' }, 'heldByBreaker: must be true or false'],
    ['under a name of fillsafe', { jobType: 'order.place' }, 'jobType: "order.place" is fillsafe\'s own'],
    ['under one word', { jobType: 'payout' }, 'jobType: "payout" must be two words with a dot, like payout.send'],
    ['under a name with a colon', { jobType: 'payout.send:now' }, 'jobType: "payout.send:now" must be'],
    ['under no name', { jobType: undefined }, 'an effect cannot be defined:\n  jobType: "undefined" must be'],
  ])('%s', (_what, over, message) => {
    expect(refusal(over)).toContain(message);
  });
});

describe('what run may throw', () => {
  test('a refusal has a category that says that nothing happened', () => {
    expect(() => refused('OUTCOME_UNKNOWN' as never, 'who knows')).toThrow(
      'refused: category "OUTCOME_UNKNOWN" must be one of INVALID, FUNDS',
    );
    expect(refused('FUNDS', 'too little').message).toBe('too little');
    expect(notApplied('busy').message).toBe('busy');
  });
});
